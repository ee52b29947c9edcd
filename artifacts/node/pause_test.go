package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

func TestPauseReapsItsChildrenAndReturnsWhenTold(t *testing.T) {
	stop, returned := make(chan os.Signal, 1), make(chan struct{})
	go func() { pause(stop); close(returned) }()

	child := exec.Command("true")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	// Signal 0 reaches a zombie but not a reaped process.
	for end := time.Now().Add(10 * time.Second); syscall.Kill(child.Process.Pid, 0) == nil; {
		if time.Now().After(end) {
			t.Fatal("the child is still a zombie")
		}
		time.Sleep(5 * time.Millisecond)
	}

	stop <- syscall.SIGTERM
	select {
	case <-returned:
	case <-time.After(10 * time.Second):
		t.Fatal("pause did not return")
	}
}
