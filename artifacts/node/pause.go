package main

import (
	"os"
	"os/signal"
	"syscall"
)

// pause waits until it is told to stop. It is pid 1 of pods that share their process
// namespace, and so the parent of their orphans, which it reaps.
func pause(stop <-chan os.Signal) {
	exited := make(chan os.Signal, 1)
	signal.Notify(exited, syscall.SIGCHLD)
	for {
		reap()
		select {
		case <-exited:
		case <-stop:
			return
		}
	}
}

// reap collects every child that has ended; one SIGCHLD may stand for several.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if pid <= 0 || err != nil {
			return
		}
	}
}
