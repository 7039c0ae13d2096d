#include "tests/e2e/harness/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "tests/e2e/harness/process.h"

namespace fettle::e2e {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

// A mount namespace of our own. Who is not root gets one in a user namespace, where the system allows that.
std::string leave_namespace() {
  if (::unshare(CLONE_NEWNS) != 0) {
    const std::string user = std::to_string(::getuid());
    const std::string group = std::to_string(::getgid());
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      return std::string("mounting is not permitted (") + std::strerror(errno) + "); run the test as root";
    }
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", user + ' ' + user + " 1");
    write_text("/proc/self/gid_map", group + ' ' + group + " 1");
  }
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return std::string("mounting is not permitted (") + std::strerror(errno) + "); run the test as root";
  }
  return {};
}

// Its output. Throws where it fails.
std::string as_root_does(const std::string& command) {
  const Ran ran = run_command({"sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; " + command});
  if (ran.code != 0) throw std::runtime_error(command + " failed: " + ran.err + ran.out);
  return ran.out;
}

}  // namespace

const std::string& mount_problem() {
  static const std::string problem = leave_namespace();
  return problem;
}

SmallDisk::SmallDisk(const std::filesystem::path& folder, std::size_t bytes) : folder_(folder) {
  std::filesystem::create_directories(folder_);
  const std::string options = "mode=0700,size=" + std::to_string(bytes);
  if (::mount("fettle-test", folder_.c_str(), "tmpfs", 0, options.c_str()) != 0) fail("cannot mount a small disk");
}

SmallDisk::~SmallDisk() {
  ::umount2(folder_.c_str(), MNT_DETACH);
}

std::size_t SmallDisk::free_bytes() const {
  struct statvfs space {};
  if (::statvfs(folder_.c_str(), &space) != 0) fail("cannot look at " + folder_.string());
  return space.f_bavail * space.f_frsize;
}

void SmallDisk::fill(std::size_t leave) {
  make_room();
  const int file = ::open(ballast().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) fail("cannot write " + ballast().string());
  int failed = ENOSPC;
  // Somebody else may take the room between the look and the grasp.
  for (int attempt = 0; attempt < 10 && failed == ENOSPC; ++attempt) {
    const std::size_t free = free_bytes();
    failed = free <= leave ? 0 : ::posix_fallocate(file, 0, static_cast<off_t>(free - leave));
  }
  ::close(file);
  errno = failed;
  if (failed != 0) fail("cannot fill " + folder_.string());
}

void SmallDisk::make_room() {
  std::filesystem::remove(ballast());
}

void SmallDisk::make_read_only() {
  remount(MS_RDONLY);
}

void SmallDisk::make_writable() {
  remount(0);
}

std::string FailingDisk::problem() {
  if (run_command({"sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; command -v mkfs.ext4 && command -v e2fsck"}).code != 0) {
    return "there is no mkfs.ext4";
  }
  if (!std::filesystem::exists("/dev/loop-control")) return "there is no loop device";
  if (!std::filesystem::exists("/sys/fs/ext4") || ::access("/sys/fs/ext4", W_OK) != 0) {
    return "ext4 cannot be told to fail";
  }
  return {};
}

FailingDisk::FailingDisk(const std::filesystem::path& image, const std::filesystem::path& folder, std::size_t bytes)
    : image_(image), folder_(folder) {
  std::filesystem::create_directories(folder_);
  write_text(image_, "");
  std::filesystem::resize_file(image_, bytes);
  as_root_does("mkfs.ext4 -q " + image_.string());
  mount_image();
}

FailingDisk::~FailingDisk() {
  ::umount2(folder_.c_str(), MNT_DETACH);
}

void FailingDisk::mount_image() {
  as_root_does("mount -o loop,errors=remount-ro " + image_.string() + ' ' + folder_.string());
}

void FailingDisk::fail() {
  const std::string device = as_root_does("basename $(findmnt -n -o SOURCE " + folder_.string() + ")");
  write_text("/sys/fs/ext4/" + device.substr(0, device.find('\n')) + "/trigger_fs_error", "the test asked for it");
}

void FailingDisk::repair() {
  as_root_does("umount " + folder_.string());
  // 1: mended.
  as_root_does("e2fsck -fy " + image_.string() + " || test $? -eq 1");
  mount_image();
}

void SmallDisk::remount(unsigned long flags) {
  if (::mount(nullptr, folder_.c_str(), nullptr, MS_REMOUNT | flags, nullptr) != 0) {
    fail("cannot mount " + folder_.string() + " anew");
  }
}

}  // namespace fettle::e2e
