internal import DrillCore
