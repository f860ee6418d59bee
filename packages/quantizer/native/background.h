// Threads that leave the processor to others.
#pragma once

namespace airllm {

/**
 * Gives the calling thread the lowest priority of its process's threads: it runs where nothing else would.
 * Nothing happens where the system has no such thing for threads or refuses it.
 */
void yieldToOthers();

}  // namespace airllm
