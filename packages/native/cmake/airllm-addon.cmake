# What the addons' CMakeLists.txt have in common: build settings, the addon itself, the C++ tests. Included from the folder in
# AIRLLM_CMAKE, which airllm-build-native and run-native-tests.sh pass.

option(AIRLLM_NATIVE_TESTS "Build the C++ tests instead of the addon" OFF)
set(AIRLLM_SANITIZE "" CACHE STRING "Value of -fsanitize for the tests")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
find_package(Threads REQUIRED)
if(MSVC)
  add_compile_options(/W4 /O2 /EHsc)
endif()

# Warnings are errors in our own sources.
function(airllm_strict)
  if(NOT MSVC)
    foreach(target ${ARGN})
      target_compile_options(${target} PRIVATE -Wall -Wextra -Werror)
    endforeach()
  endif()
endfunction()

# airllm_addon(name libraries…): <name>.node from native/addon.cc and these object libraries, or with AIRLLM_NATIVE_TESTS the
# program native-tests from native/test/*.cc and the same.
function(airllm_addon name)
  set(native ${CMAKE_CURRENT_SOURCE_DIR}/native)
  if(AIRLLM_NATIVE_TESTS)
    find_path(DOCTEST_INCLUDE doctest/doctest.h)
    if(NOT DOCTEST_INCLUDE)
      message(FATAL_ERROR "doctest is not installed (apt-get install doctest-dev): no C++ test can be built")
    endif()
    file(GLOB tests CONFIGURE_DEPENDS ${native}/test/*.cc)
    add_executable(native-tests ${tests})
    target_include_directories(native-tests PRIVATE ${DOCTEST_INCLUDE} ${native})
    airllm_strict(native-tests)
    target_link_libraries(native-tests PRIVATE ${ARGN} Threads::Threads)
    if(AIRLLM_SANITIZE)
      foreach(target ${ARGN} native-tests)
        target_compile_options(${target} PRIVATE -g1 -fno-omit-frame-pointer -fsanitize=${AIRLLM_SANITIZE}
          -fno-sanitize-recover=all)
      endforeach()
      target_link_options(native-tests PRIVATE -fsanitize=${AIRLLM_SANITIZE})
    endif()
    return()
  endif()
  add_library(${name} SHARED ${native}/addon.cc ${CMAKE_JS_SRC})
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX ".node")
  target_include_directories(${name} SYSTEM PRIVATE ${CMAKE_JS_INC} ${AIRLLM_NODE_ADDON_API})
  # A worker that is being terminated takes no exceptions any more; without the last they would end the process.
  target_compile_definitions(${name} PRIVATE NAPI_VERSION=8 NAPI_CPP_EXCEPTIONS
    NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS)
  target_link_libraries(${name} PRIVATE ${ARGN} Threads::Threads ${CMAKE_JS_LIB})
  airllm_strict(${name})
  if(APPLE)
    target_link_options(${name} PRIVATE -undefined dynamic_lookup)
  elseif(MSVC)
    execute_process(COMMAND ${CMAKE_AR} /def:${CMAKE_JS_NODELIB_DEF} /out:${CMAKE_JS_NODELIB_TARGET}
      ${CMAKE_STATIC_LINKER_FLAGS})
  else()
    target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc)
  endif()
endfunction()
