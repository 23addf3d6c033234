// Pause holds a pod's namespaces open and reaps what is orphaned in them, until it is told to end. With
// -v it says what it is and ends, as Kubernetes' own does: `kubeadm upgrade` runs it so in a Job to see
// whether a pod can run (kubernetes, cmd/kubeadm/app/phases/upgrade/health.go).
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "-v" {
		fmt.Println("pause of layered-cloud's lab")
		return
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}
