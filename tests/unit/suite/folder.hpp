// A folder that is gone after the test.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace reveille::vmm {

class Folder {
public:
  Folder() {
    std::string name = testing::TempDir() + "reveille-suite-XXXXXX";
    if (::mkdtemp(name.data()) != nullptr)
      path_ = name;
  }
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;

  [[nodiscard]] std::string operator/(const std::string &name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string &path() const { return path_; }

  /// A file with that text, and the folders that it stands in. Returns its path.
  std::string write(const std::string &name, const std::string &text = "") const {
    const std::filesystem::path file(*this / name);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file.string();
  }

private:
  std::string path_;
};

} // namespace reveille::vmm
