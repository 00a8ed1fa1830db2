import DrillWorkload

LoadProgram.main()
