// What AddressSanitizer must be told of stacks that it has not made.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define REVEILLE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REVEILLE_ASAN 1
#endif
#endif

#ifdef REVEILLE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace reveille::vmm::sim::asan {

#ifdef REVEILLE_ASAN
inline constexpr bool kOn = true;
/// Before a switch to the stack [low, low + size). `*fake` keeps what belongs to the one that is
/// left; null: it is left for good.
inline void begin_switch(void **fake, const void *low, std::size_t size) {
  __sanitizer_start_switch_fiber(fake, low, size);
}
/// Behind a switch; says which stack was left.
inline void end_switch(void *fake, const void **low, std::size_t *size) {
  __sanitizer_finish_switch_fiber(fake, low, size);
}
/// The frames that were on it are gone without having returned.
inline void forget_frames(void *low, std::size_t size) { __asan_unpoison_memory_region(low, size); }
#else
inline constexpr bool kOn = false;
inline void begin_switch(void **, const void *, std::size_t) {}
inline void end_switch(void *, const void **, std::size_t *) {}
inline void forget_frames(void *, std::size_t) {}
#endif

} // namespace reveille::vmm::sim::asan
