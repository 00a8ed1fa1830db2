import TwinServer

TwinProgram.main()
