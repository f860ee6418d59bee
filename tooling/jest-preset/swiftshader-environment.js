// A jest environment in which Vulkan's loader finds SwiftShader, the software GPU that Debian's chromium brings, so that
// WebGPU tests need no hardware. A spec names it in its first comment: @jest-environment @airllm/jest-preset/swiftshader-environment.
// Set here and not in the spec: a spec sees a copy of the environment, and native code the real one.
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { TestEnvironment } from 'jest-environment-node';

const ICD = '/usr/lib/chromium/vk_swiftshader_icd.json';

if (existsSync(ICD)) process.env.VK_DRIVER_FILES ??= ICD;
// Where it is unset, Vulkan's drivers write lines about it.
process.env.XDG_RUNTIME_DIR ??= tmpdir();

export default TestEnvironment;
