// Command node is what a node's container images need besides Kubernetes itself: the process
// that holds a pod's namespaces, and the server that a cluster is verified with. The name it
// is called by chooses one.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	// As pid 1 of a container no signal has a default action, so both must be asked for.
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)

	switch name := filepath.Base(os.Args[0]); name {
	case "pause":
		pause(stop)
	case "check":
		if err := serve(":8080", stop); err != nil {
			fmt.Fprintf(os.Stderr, "check: %v\n", err)
			os.Exit(1)
		}
	default:
		fmt.Fprintf(os.Stderr, "node: %q is not a role; call it as pause or check\n", name)
		os.Exit(2)
	}
}
