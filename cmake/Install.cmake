include(GNUInstallDirs)
install(TARGETS virt-handoff RUNTIME)
