// Runs the vmm binary through the shell and keeps what came of it.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace reveille::test {

struct Outcome {
  int status = -1; ///< exit status; -1: it did not exit by itself
  std::string out;
  std::string err;

  /// The first line of standard error.
  [[nodiscard]] std::string complaint() const { return err.substr(0, err.find('\n')); }
};

inline std::string temporary(const std::string &name) {
  return testing::TempDir() + "reveille-cli-" + std::to_string(::getpid()) + "-" + name;
}

inline std::string take(const std::string &path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  std::remove(path.c_str());
  return text.str();
}

/// A command as a shell takes it; `input` is standard input.
inline Outcome shell(const std::string &text, const std::string &input = "") {
  const std::string in = temporary("in");
  const std::string out = temporary("out");
  const std::string err = temporary("err");
  std::ofstream(in, std::ios::binary) << input;
  const std::string command =
      "cd '" REVEILLE_SOURCE_DIR "' && { " + text + "; } < '" + in + "' > '" + out + "' 2> '" + err + "'";
  const int status = std::system(command.c_str());
  std::remove(in.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, take(out), take(err)};
}

/// `arguments` as in a shell.
inline Outcome vmm(const std::string &arguments, const std::string &input = "") {
  return shell("'" REVEILLE_VMM "' " + arguments, input);
}

/// Exit status 2, nothing on standard output, and that complaint with a hint after it.
inline void expect_usage_error(const std::string &arguments, const std::string &complaint,
                               const std::string &hint) {
  const Outcome outcome = vmm(arguments);
  EXPECT_EQ(outcome.status, 2) << arguments;
  EXPECT_EQ(outcome.out, "") << arguments;
  EXPECT_EQ(outcome.err, complaint + "\nTry: " + hint + "\n") << arguments;
}

} // namespace reveille::test
