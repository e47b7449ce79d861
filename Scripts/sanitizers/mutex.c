// Tells ThreadSanitizer of the locks that Swift's Mutex takes when it has to wait.
//
// The quick half of a Mutex is compiled into whoever uses it, and seen. The slow half, for a lock that is held, is in
// libswiftSynchronization, which no sanitizer is built into: whatever such a lock protects would be reported as a race. Loaded
// first (LD_PRELOAD), this takes the slow half's place, calls it, and says what it did. Elsewhere than under ThreadSanitizer it
// changes nothing.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

typedef __attribute__((swiftcall)) void (*Lock)(uint32_t thread, __attribute__((swift_context)) void *handle);
typedef __attribute__((swiftcall)) void (*Unlock)(__attribute__((swift_context)) void *handle);

static void *next(const char *symbol) {
    void *found = dlsym(RTLD_NEXT, symbol);
    if (!found) {
        fprintf(stderr, "Scripts/sanitizers/mutex.c: libswiftSynchronization has no %s: see how its Mutex waits now\n", symbol);
        abort();
    }
    return found;
}

__attribute__((swiftcall)) void lockSlow(uint32_t thread, __attribute__((swift_context)) void *handle) __asm__(LOCK);
__attribute__((swiftcall)) void lockSlow(uint32_t thread, __attribute__((swift_context)) void *handle) {
    static Lock lock;
    if (!lock) lock = (Lock)next(LOCK);
    lock(thread, handle);
    if (__tsan_acquire) __tsan_acquire(handle);
}

__attribute__((swiftcall)) void unlockSlow(__attribute__((swift_context)) void *handle) __asm__(UNLOCK);
__attribute__((swiftcall)) void unlockSlow(__attribute__((swift_context)) void *handle) {
    static Unlock unlock;
    if (!unlock) unlock = (Unlock)next(UNLOCK);
    if (__tsan_release) __tsan_release(handle);
    unlock(handle);
}
