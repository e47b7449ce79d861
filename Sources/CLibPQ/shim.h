#pragma once
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

/* The flags are an enum in C and macros at once; Swift would import neither as the int that eventfd takes. */
static inline int signet_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

/* Removes every variable from the environment whose name begins with "PG": false when memory ran out.
   The array is read from the start again after each removal, which moves the rest of it. In glibc a removal never frees or
   moves the array itself, so that a getenv(3) on another thread may miss a variable but never reads what is gone. */
static inline int signet_unset_postgres_environment(void) {
    extern char **environ;
    char **entry = environ;
    while (entry && *entry) {
        size_t length = strcspn(*entry, "=");
        if (length == 0 || strncmp(*entry, "PG", 2) != 0) {
            entry++;
            continue;
        }
        char *name = strndup(*entry, length);
        int removed = name && unsetenv(name) == 0;
        free(name);
        if (!removed) return 0;
        entry = environ;
    }
    return 1;
}
