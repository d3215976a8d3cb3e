# Third-party libraries, all from the distribution's packages. Nothing is downloaded or vendored.
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Threads REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1)
# pkg-config carries the compile flags that the packaged library was built with; without them class
# sizes differ between its header and its object code.
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)

add_library(json INTERFACE)
target_link_libraries(json INTERFACE nlohmann_json::nlohmann_json)
target_compile_definitions(json INTERFACE JSON_USE_IMPLICIT_CONVERSIONS=0)

if(BUILD_TESTING)
  find_package(doctest REQUIRED)
endif()
