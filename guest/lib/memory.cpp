// The functions that compilers call without being asked to.
#include <cstddef>
#include <cstdint>

extern "C" {

void *memcpy(void *to, const void *from, std::size_t count) {
  void *const result = to;
  std::size_t words = count / 8;
  asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
  std::size_t rest = count % 8;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
  return result;
}

void *memmove(void *to, const void *from, std::size_t count) {
  auto *t = static_cast<unsigned char *>(to);
  const auto *f = static_cast<const unsigned char *>(from);
  if (t <= f || t >= f + count)
    return memcpy(to, from, count);
  while (count-- > 0)
    asm volatile("movb %1, %0" : "=m"(t[count]) : "q"(f[count])); // or the compiler calls memmove
  return to;
}

void *memset(void *to, int value, std::size_t count) {
  void *const result = to;
  std::size_t words = count / 8;
  const std::uint64_t pattern = 0x0101'0101'0101'0101 * static_cast<unsigned char>(value);
  asm volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
  std::size_t rest = count % 8;
  asm volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(value) : "memory");
  return result;
}

int memcmp(const void *a, const void *b, std::size_t count) {
  const auto *x = static_cast<const unsigned char *>(a);
  const auto *y = static_cast<const unsigned char *>(b);
  for (std::size_t i = 0; i < count; ++i)
    if (x[i] != y[i])
      return x[i] < y[i] ? -1 : 1;
  return 0;
}

std::size_t strlen(const char *text) {
  std::size_t n = 0;
  while (text[n] != '\0')
    ++n;
  return n;
}
}
