package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
)

// A Secure makes what begins TLS on a connection; see Secure of discover.Options. It
// is nil in the program keepalive, which has no TLS.
type Secure func(TLS) func(context.Context, net.Conn) (net.Conn, error)

// TLS is what the flags say about it.
type TLS struct {
	ServerName string
	Insecure   bool     // any certificate will do
	Protocols  []string // for ALPN
}

// errNeedsTLS ends a command that only the program with TLS can run.
var errNeedsTLS = errors.New("this takes TLS")

// withTLS is that program.
const withTLS = "keepalive-tls"

// handOver runs a command line with the program that has TLS, and returns its exit
// code.
func handOver(args []string, stdout, stderr io.Writer) (int, error) {
	path, err := findWithTLS()
	if err != nil {
		return 0, err
	}
	c := exec.Command(path, args...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, stdout, stderr
	if err := c.Start(); err != nil {
		return 0, err
	}
	// It decides what an interrupt means: a terminal sends it to both.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case s := <-signals:
				if s == syscall.SIGTERM {
					c.Process.Signal(s)
				}
			case <-ended:
				return
			}
		}
	}()
	err = c.Wait()
	close(ended)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), exitProblems), nil
	}
	return exitOK, err
}

// findWithTLS looks beside this program, then in PATH.
func findWithTLS() (string, error) {
	name := withTLS
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if own, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(own), name)
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	path, err := exec.LookPath(withTLS)
	if err != nil {
		return "", fmt.Errorf("TLS takes the program %s, which is neither beside this one nor in PATH: "+
			"go install github.com/tcpkeepalive/keepalive/cmd/keepalive/%s@latest, or in a clone: go run ./cmd/keepalive/%s", withTLS, withTLS, withTLS)
	}
	return path, nil
}
