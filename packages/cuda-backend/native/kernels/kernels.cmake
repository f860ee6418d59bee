# The kernels as one fat binary for each source file, embedded in the addon: AIRLLM_EMBEDDED_KERNELS is the source that holds them,
# AIRLLM_FATBINS the files it embeds; none without nvcc.

# Turing to Blackwell, and PTX for what comes after. nvcc 13 compiles for nothing older than 7.5.
set(AIRLLM_CUDA_ARCHITECTURES "75;80;86;89;90a;100;120" CACHE STRING "Compute capabilities of the kernels")
set(AIRLLM_EMBEDDED_KERNELS ${CMAKE_CURRENT_BINARY_DIR}/embedded_kernels.cc)
set(AIRLLM_FATBINS "")
set(kernels_built ${CMAKE_CURRENT_BINARY_DIR}/kernels)
file(MAKE_DIRECTORY ${kernels_built})

find_program(AIRLLM_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda/bin)
set(nvcc_version 0)
if(AIRLLM_NVCC)
  execute_process(COMMAND ${AIRLLM_NVCC} --version OUTPUT_VARIABLE nvcc_says ERROR_QUIET)
  string(REGEX MATCH "release ([0-9]+\\.[0-9]+)" found "${nvcc_says}")
  set(nvcc_version ${CMAKE_MATCH_1})
endif()

set(arrays "")
set(names "")
if(nvcc_version VERSION_GREATER_EQUAL 12.8)
  set(targets "")
  foreach(architecture ${AIRLLM_CUDA_ARCHITECTURES})
    list(APPEND targets -gencode arch=compute_${architecture},code=sm_${architecture})
  endforeach()
  list(APPEND targets -gencode arch=compute_80,code=compute_80)
  foreach(kernel ${kernels})
    get_filename_component(name ${kernel} NAME_WE)
    set(fatbin ${kernels_built}/${name}.fatbin)
    # What ptxas says of registers is kept: scripts/kernel-table.mjs reads it.
    add_custom_command(OUTPUT ${fatbin}
      COMMAND ${AIRLLM_NVCC} -fatbin -std=c++17 -O3 -fmad=false --expt-relaxed-constexpr -diag-suppress 177 -Xptxas -v
        ${targets} -I${submission} -o ${fatbin} ${kernel} > ${kernels_built}/${name}.log 2>&1
        || ${CMAKE_COMMAND} -E cat ${kernels_built}/${name}.log && test -s ${fatbin}
      DEPENDS ${kernel} ${kernel_headers} VERBATIM)
    list(APPEND AIRLLM_FATBINS ${fatbin})
    string(APPEND arrays "asm(R\"(\n.section .rodata\n.balign 64\nairllm_${name}:\n.incbin \"${fatbin}\"\n.byte 0\n.text\n)\");\nextern \"C\" const unsigned char airllm_${name}[];\n")
    string(APPEND names "airllm_${name}, ")
  endforeach()
  message(STATUS "CUDA kernels with nvcc ${nvcc_version} for ${AIRLLM_CUDA_ARCHITECTURES}")
else()
  message(STATUS "CUDA kernels left out: nvcc 12.8 or later not found")
endif()
list(LENGTH AIRLLM_FATBINS count)
file(GENERATE OUTPUT ${AIRLLM_EMBEDDED_KERNELS} CONTENT
"#include \"${native}/driver/embedded_kernels.h\"
${arrays}
namespace airllm {
const unsigned char* const kEmbeddedKernels[] = {${names}nullptr};
const size_t kEmbeddedKernelCount = ${count};
}  // namespace airllm
")
