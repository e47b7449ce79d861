#pragma once
#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>

/* The flags are an enum in C and macros at once; Swift would import neither as the int that eventfd takes. */
static inline int signet_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
