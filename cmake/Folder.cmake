# handoff_folder(NAME [USES folder...] [PRIVATE third-party...])
# One static library per source folder. USES names the folders it may include from; third-party
# libraries are PRIVATE, so no other folder sees their headers.
function(handoff_folder name)
  cmake_parse_arguments(arg "" "" "USES;PRIVATE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC ${arg_USES} PRIVATE build_settings ${arg_PRIVATE})
endfunction()
