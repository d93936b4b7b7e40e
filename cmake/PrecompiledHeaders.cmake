# Headers of the standard library and GLib take a third of each compilation. Where GCC 12 optimizes
# code with precompiled headers, it warns of what is well in them: so tests/fuzz uses
# them, unit tests always do, and what people install is built without.
option(CLOUDFLAREDUMP_PRECOMPILE "Compile the standard library's headers once" OFF)

# precompile_headers(TARGET OWNER): TARGET uses the headers of OWNER, which is compiled alike and may
# be TARGET itself.
function(precompile_headers target owner)
  if(NOT CLOUDFLAREDUMP_PRECOMPILE)
    return()
  endif()
  if(NOT target STREQUAL owner)
    target_precompile_headers(${target} REUSE_FROM ${owner})
    return()
  endif()
  target_precompile_headers(${target} PRIVATE
    <algorithm> <chrono> <expected> <functional> <map> <memory> <optional> <set> <span> <string>
    <string_view> <utility> <variant> <vector> <glib.h>)
endfunction()
