# Where the Wireshark of this machine looks for extcaps, plugins and profiles.
#   CLOUDFLAREDUMP_EXTCAP_DIR   folder for the front end
#   CLOUDFLAREDUMP_PLUGIN_DIR   folder for cloudflare.so
#   CLOUDFLAREDUMP_PROFILE_DIR  folder for everyone's profiles
# All can be set by hand. Sources: wireshark.pc (plugindir; it has no extcapdir),
# `tshark -G folders` ("Extcap path" in 4.0, "Global Extcap path" from 4.4).
include(GNUInstallDirs)

pkg_check_modules(WIRESHARK wireshark)

find_program(TSHARK_PROGRAM tshark)
if(TSHARK_PROGRAM)
  execute_process(COMMAND ${TSHARK_PROGRAM} -G folders OUTPUT_VARIABLE _folders ERROR_QUIET)
endif()

if(NOT CLOUDFLAREDUMP_PLUGIN_DIR AND WIRESHARK_FOUND)
  pkg_get_variable(_plugindir wireshark plugindir)
  set(CLOUDFLAREDUMP_PLUGIN_DIR "${_plugindir}/epan")
endif()

if(NOT CLOUDFLAREDUMP_EXTCAP_DIR)
  if(_folders MATCHES "(^|\n)(Global )?Extcap path:[ \t]+([^\n]+)")
    set(CLOUDFLAREDUMP_EXTCAP_DIR "${CMAKE_MATCH_3}")
  elseif(WIRESHARK_FOUND AND WIRESHARK_VERSION VERSION_GREATER_EQUAL 4.6)
    # Wireshark 4.6 moved extcaps to libexec.
    set(CLOUDFLAREDUMP_EXTCAP_DIR "${CMAKE_INSTALL_FULL_LIBEXECDIR}/wireshark/extcap")
  elseif(WIRESHARK_FOUND)
    set(CLOUDFLAREDUMP_EXTCAP_DIR "${CMAKE_INSTALL_FULL_LIBDIR}/wireshark/extcap")
  endif()
endif()

if(NOT CLOUDFLAREDUMP_PROFILE_DIR)
  if(_folders MATCHES "(^|\n)Global configuration:[ \t]+([^\n]+)")
    set(CLOUDFLAREDUMP_PROFILE_DIR "${CMAKE_MATCH_2}/profiles")
  else()
    set(CLOUDFLAREDUMP_PROFILE_DIR "${CMAKE_INSTALL_FULL_DATADIR}/wireshark/profiles")
  endif()
endif()

set(CLOUDFLAREDUMP_EXTCAP_DIR "${CLOUDFLAREDUMP_EXTCAP_DIR}" CACHE PATH "Folder for the extcap")
set(CLOUDFLAREDUMP_PLUGIN_DIR "${CLOUDFLAREDUMP_PLUGIN_DIR}" CACHE PATH "Folder for the plugin")
set(CLOUDFLAREDUMP_PROFILE_DIR "${CLOUDFLAREDUMP_PROFILE_DIR}" CACHE PATH "Folder for the profile")
message(STATUS "Wireshark ${WIRESHARK_VERSION}: extcap in ${CLOUDFLAREDUMP_EXTCAP_DIR}, "
               "plugin in ${CLOUDFLAREDUMP_PLUGIN_DIR}")
