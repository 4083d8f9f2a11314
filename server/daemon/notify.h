/* What the service manager is told (sd_notify); nothing without one. Main thread. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

void notify_ready(void);
void notify_stopping(void);

#endif
