# What a package holds: the tool, the names under which kubectl finds it, manual pages, completions.
include(GNUInstallDirs)
install(TARGETS virt-handoff RUNTIME)

# kubectl turns `kubectl virt-handoff` into kubectl-virt_handoff and `kubectl virt handoff` into
# kubectl-virt-handoff; for completion it runs kubectl_complete-<the same name>.
install(PROGRAMS "${PROJECT_SOURCE_DIR}/completions/kubectl_complete-virt_handoff"
  DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(CODE [[
  set(bin "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}")
  file(CREATE_LINK virt-handoff "${bin}/kubectl-virt_handoff" SYMBOLIC)
  file(CREATE_LINK virt-handoff "${bin}/kubectl-virt-handoff" SYMBOLIC)
  file(CREATE_LINK kubectl_complete-virt_handoff "${bin}/kubectl_complete-virt-handoff" SYMBOLIC)
]])

file(GLOB manual_1 CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/man/*.1")
file(GLOB manual_7 CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/man/*.7")
install(FILES ${manual_1} DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES ${manual_7} DESTINATION "${CMAKE_INSTALL_MANDIR}/man7")

install(FILES "${PROJECT_SOURCE_DIR}/completions/virt-handoff.bash"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME virt-handoff)
install(FILES "${PROJECT_SOURCE_DIR}/completions/virt-handoff.zsh"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions" RENAME _virt-handoff)
install(FILES "${PROJECT_SOURCE_DIR}/completions/virt-handoff.fish"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
