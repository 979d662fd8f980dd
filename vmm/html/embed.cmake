# Writes files as strings into a header: cmake -DOUT=FILE.hpp -DNAMESPACE=.. -DHTML=.. -DCSS=.. -DJS="a;b" -P embed.cmake
function(read_all variable)
  set(all "")
  foreach(file IN LISTS ARGN)
    file(READ ${file} text)
    if(text MATCHES "\\)page\"")
      message(FATAL_ERROR "${file}: holds what ends a string of the header")
    endif()
    string(APPEND all "${text}")
  endforeach()
  set(${variable} "${all}" PARENT_SCOPE)
endfunction()

read_all(html ${HTML})
read_all(css ${CSS})
read_all(js ${JS})
file(WRITE ${OUT} "// Made by vmm/html/embed.cmake.
#pragma once

#include <string_view>

namespace reveille::vmm::${NAMESPACE} {

inline constexpr std::string_view kTemplate = R\"page(${html})page\";
inline constexpr std::string_view kStyle = R\"page(${css})page\";
inline constexpr std::string_view kScript = R\"page(${js})page\";

} // namespace reveille::vmm::${NAMESPACE}
")
