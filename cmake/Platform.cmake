# What this system offers beyond POSIX. Each has a portable form beside it, which
# -DCLOUDFLAREDUMP_PORTABLE=ON chooses everywhere, as a system would that has none of them.
include(CheckCXXSymbolExists)
include(CMakePushCheckState)

option(CLOUDFLAREDUMP_PORTABLE "Use POSIX alone, as on a system that offers nothing beyond it" OFF)

# offers(NAME SYMBOL HEADER…): CLOUDFLAREDUMP_HAVE_<NAME>
function(offers name symbol)
  if(CLOUDFLAREDUMP_PORTABLE)
    set(CLOUDFLAREDUMP_HAVE_${name} OFF PARENT_SCOPE)
    return()
  endif()
  cmake_push_check_state(RESET)
  set(CMAKE_REQUIRED_DEFINITIONS -D_GNU_SOURCE)
  check_cxx_symbol_exists(${symbol} "${ARGN}" CLOUDFLAREDUMP_FOUND_${name})
  cmake_pop_check_state()
  set(CLOUDFLAREDUMP_HAVE_${name} ${CLOUDFLAREDUMP_FOUND_${name}} PARENT_SCOPE)
endfunction()

offers(TMPFILE O_TMPFILE fcntl.h)
