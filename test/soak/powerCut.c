/*
 * What a disk keeps when the power fails: preloaded into a server, it copies each file when the server
 * syncs it, and notes the names in a folder when that is synced. powerCut.ts restores from these copies.
 *
 * POWER_CUT_ROOT is the data folder, POWER_CUT_KEPT a folder for the copies.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

/* The path below the root with "%" for each slash; 0 for a path outside of it. */
static int below(const char *path, char *out) {
  const char *root = getenv("POWER_CUT_ROOT");
  size_t length = root == NULL ? 0 : strlen(root);
  if (length == 0 || strncmp(path, root, length) != 0) return 0;
  if (path[length] != '/' && path[length] != 0) return 0;
  snprintf(out, PATH_MAX, "%s", path[length] == 0 ? "" : path + length + 1);
  for (char *at = out; *at != 0; at++) if (*at == '/') *at = '%';
  return 1;
}

static void kept(const char *kind, const char *name, char *out) {
  snprintf(out, PATH_MAX, "%s/%s/%s", getenv("POWER_CUT_KEPT"), kind, name);
}

/* Copies a file's content; a copy that is cut off doesn't replace the one before. */
static void keep(int fd, const char *name) {
  char to[PATH_MAX], draft[PATH_MAX];
  kept("content", name, to);
  kept("draft", name, draft);
  char source[64];
  snprintf(source, sizeof source, "/proc/self/fd/%d", fd);
  int in = open(source, O_RDONLY);
  int out = open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  char buffer[65536];
  ssize_t got;
  while (in >= 0 && out >= 0 && (got = read(in, buffer, sizeof buffer)) > 0) {
    if (write(out, buffer, (size_t)got) != got) abort();
  }
  if (in >= 0) close(in);
  if (out >= 0) close(out);
  int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
  real(draft, to);
}

/* Notes which names a folder has. */
static void keepNames(const char *path, const char *name) {
  char prefix[PATH_MAX], entries[PATH_MAX], file[PATH_MAX], real[PATH_MAX];
  snprintf(prefix, sizeof prefix, "%s%s", name, *name == 0 ? "" : "%");
  snprintf(entries, sizeof entries, "%s/entry", getenv("POWER_CUT_KEPT"));
  DIR *folder = opendir(entries);
  for (struct dirent *one; folder != NULL && (one = readdir(folder)) != NULL;) {
    size_t length = strlen(prefix);
    if (one->d_name[0] == '.' || strncmp(one->d_name, prefix, length) != 0) continue;
    if (strchr(one->d_name + length, '%') != NULL) continue;
    snprintf(real, sizeof real, "%s/%s", path, one->d_name + length);
    if (access(real, F_OK) == 0) continue;
    kept("entry", one->d_name, file);
    unlink(file);
    kept("content", one->d_name, file);
    unlink(file);
  }
  if (folder != NULL) closedir(folder);
  folder = opendir(path);
  for (struct dirent *one; folder != NULL && (one = readdir(folder)) != NULL;) {
    if (strcmp(one->d_name, ".") == 0 || strcmp(one->d_name, "..") == 0) continue;
    char flat[PATH_MAX];
    snprintf(flat, sizeof flat, "%s%s", prefix, one->d_name);
    kept("entry", flat, file);
    close(open(file, O_WRONLY | O_CREAT, 0600));
  }
  if (folder != NULL) closedir(folder);
}

static void synced(int fd) {
  char link[64], path[PATH_MAX], name[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return;
  path[length] = 0;
  struct stat info;
  if (!below(path, name) || fstat(fd, &info) != 0) return;
  pthread_mutex_lock(&turn);
  if (S_ISDIR(info.st_mode)) keepNames(path, name);
  else if (info.st_nlink > 0) keep(fd, name);
  pthread_mutex_unlock(&turn);
}

int fsync(int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
  int result = real(fd);
  if (result == 0) synced(fd);
  return result;
}

int fdatasync(int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
  int result = real(fd);
  if (result == 0) synced(fd);
  return result;
}

/* The content goes along; the new name counts once its folder is synced. */
int rename(const char *from, const char *to) {
  int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
  int result = real(from, to);
  char old[PATH_MAX], new[PATH_MAX], content[PATH_MAX], moved[PATH_MAX];
  if (result != 0 || !below(from, old) || !below(to, new)) return result;
  pthread_mutex_lock(&turn);
  kept("content", old, content);
  kept("content", new, moved);
  if (access(moved, F_OK) != 0) real(content, moved);
  pthread_mutex_unlock(&turn);
  return result;
}
