#pragma once
// A file system of a few megabytes (tmpfs) that a test fills and frees again. Mounted in a mount namespace that this
// process and its children alone see, so that nothing is left behind however the test ends. One thread.

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <iostream>
#include <string>

namespace fettle::e2e {

// Why this process may not mount anything; empty: it may. Leaves the common mount namespace at its first call, which
// must come before the process has a second thread.
const std::string& mount_problem();

class SmallDisk {
 public:
  // Mounts it on `folder`, which is made. Throws where that fails.
  SmallDisk(const std::filesystem::path& folder, std::size_t bytes);
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk();

  std::size_t free_bytes() const;
  // A file that leaves so many bytes free; replaces the last one.
  void fill(std::size_t leave);
  // Removes that file.
  void make_room();
  // Throws where it does not work, which includes that a file is open for writing.
  void make_read_only();
  void make_writable();

 private:
  std::filesystem::path ballast() const { return folder_ / "ballast"; }
  void remount(unsigned long flags);

  std::filesystem::path folder_;
};

// A file system (ext4 in a file) that turns read-only under its users, as one does on a disk that fails. In the same
// namespace. One thread.
class FailingDisk {
 public:
  // Why there can be none here: no ext4 or no loop device. Empty: there can. Pre: mount_problem() is empty.
  static std::string problem();

  // Mounts it on `folder`, which is made. `image`: the file that holds it. Throws where that fails.
  FailingDisk(const std::filesystem::path& image, const std::filesystem::path& folder, std::size_t bytes);
  FailingDisk(const FailingDisk&) = delete;
  FailingDisk& operator=(const FailingDisk&) = delete;
  ~FailingDisk();

  // From now on every write is refused with EROFS, also to open files.
  void fail();
  // Checked, mended and mounted again. Pre: nobody has a file of it open.
  void repair();

 private:
  void mount_image();

  std::filesystem::path image_;
  std::filesystem::path folder_;
};

}  // namespace fettle::e2e

// Ends the test where nothing may be mounted.
#define FETTLE_NEED_MOUNTS()                                                             \
  if (!::fettle::e2e::mount_problem().empty()) {                                         \
    std::cout << "skipped: no disk to fill: " << ::fettle::e2e::mount_problem() << '\n'; \
    GTEST_SKIP() << "skipped: no disk to fill: " << ::fettle::e2e::mount_problem();      \
  }
