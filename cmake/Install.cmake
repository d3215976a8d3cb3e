# What a package holds: the tool, the names under which kubectl finds it, manual pages, completions.
include(GNUInstallDirs)
install(TARGETS virt-handoff RUNTIME)

# kubectl turns `kubectl virt-handoff` into kubectl-virt_handoff and `kubectl virt handoff` into
# kubectl-virt-handoff; for completion it runs kubectl_complete-<the same name>.
install(PROGRAMS "${PROJECT_SOURCE_DIR}/completions/kubectl_complete-virt_handoff"
  DESTINATION "${CMAKE_INSTALL_BINDIR}")
foreach(link kubectl-virt_handoff kubectl-virt-handoff)
  list(APPEND links "virt-handoff ${link}")
endforeach()
list(APPEND links "kubectl_complete-virt_handoff kubectl_complete-virt-handoff")
foreach(link ${links})
  separate_arguments(link)
  list(GET link 0 original)
  list(GET link 1 name)
  install(CODE "file(CREATE_LINK ${original}
    \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/${name}\" SYMBOLIC)")
endforeach()

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
