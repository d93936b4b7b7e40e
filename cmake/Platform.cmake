# What this system offers beyond POSIX: CLOUDFLAREDUMP_HAVE_…, for common/platform.h. Each has a
# portable form beside it. -DCLOUDFLAREDUMP_PORTABLE=ON takes those everywhere, as on a system that
# offers nothing.
include(CheckCXXSymbolExists)
include(CheckLinkerFlag)
include(CheckStructHasMember)
include(CMakePushCheckState)

option(CLOUDFLAREDUMP_PORTABLE "Use nothing that only Linux or the GNU tools have" OFF)

cmake_push_check_state(RESET)
set(CMAKE_REQUIRED_DEFINITIONS -D_GNU_SOURCE)
if(NOT CLOUDFLAREDUMP_PORTABLE)
  check_cxx_symbol_exists(O_TMPFILE fcntl.h CLOUDFLAREDUMP_FOUND_TMPFILE)
  check_cxx_symbol_exists(F_SETPIPE_SZ fcntl.h CLOUDFLAREDUMP_FOUND_PIPE_SIZE)
  check_cxx_symbol_exists(PR_SET_PDEATHSIG sys/prctl.h CLOUDFLAREDUMP_FOUND_PRCTL)
  check_cxx_symbol_exists(__nss_configure_lookup nss.h CLOUDFLAREDUMP_FOUND_NSS_LOOKUP_SWITCH)
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    set(CLOUDFLAREDUMP_FOUND_PROC ON)
  endif()
endif()
check_struct_has_member("struct stat" st_mtimespec sys/stat.h CLOUDFLAREDUMP_HAVE_MTIMESPEC
                        LANGUAGE CXX)
cmake_pop_check_state()
foreach(name TMPFILE PIPE_SIZE PRCTL PROC NSS_LOOKUP_SWITCH)
  if(NOT CLOUDFLAREDUMP_PORTABLE)
    set(CLOUDFLAREDUMP_HAVE_${name} ${CLOUDFLAREDUMP_FOUND_${name}})
  endif()
endforeach()

# add_link_option_if_known(OPTION [TARGET]): of GNU ld's options, those that this linker takes too.
function(add_link_option_if_known option)
  if(CLOUDFLAREDUMP_PORTABLE)
    return()
  endif()
  string(MAKE_C_IDENTIFIER "CLOUDFLAREDUMP_LINKS${option}" known)
  check_linker_flag(CXX "${option}" ${known})
  if(${known} AND ARGC GREATER 1)
    target_link_options(${ARGV1} PRIVATE "${option}")
  elseif(${known})
    add_link_options("${option}")
  endif()
endfunction()
