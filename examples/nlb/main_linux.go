// Command nlb shows what a load balancer that forgets silent connections does to
// them, on the real kernel, with its 350 s scaled down to 4: with what Go sets, with
// the usual hook, and with a plan.
//
//	go run ./nlb            in an unprivileged user namespace, where the kernel allows it
//	sudo go run ./nlb
//
// It needs the programs ip and nft, and changes nothing on the machine: it runs in a
// network namespace of its own.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/platform"
)

// forgetsAfter is the idle timeout of the balancer.
const forgetsAfter = 4 * time.Second

func main() {
	log.SetFlags(0)
	if os.Getenv(inside) == "" {
		log.SetPrefix("nlb: ")
		if err := enter(os.Stdout); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// silent is how long nobody sends anything.
const silent = forgetsAfter * 5 / 4

// inside tells the program that it is in its namespace.
const inside = "KEEPALIVE_EXAMPLE_INSIDE"

// enter runs this program again, in a network namespace of its own.
func enter(w io.Writer) error {
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%w: apt-get install iproute2 nftables", err)
		}
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	runtime.LockOSThread() // whose end Pdeathsig is about
	defer runtime.UnlockOSThread()
	err := cmd.Run()
	if errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("this kernel lets only root make a network namespace: %w", err)
	}
	return err
}

// balancer makes the loopback interface forget like one: a connection that was
// silent for too long is not known any more, and its next packet is answered with
// RST.
func balancer() error {
	rules := `
table ip balancer {
	chain input {
		type filter hook input priority filter
		tcp flags & rst == rst accept
		ct state invalid reject with tcp reset
	}
}
`
	nft := exec.Command("nft", "-f", "-")
	nft.Stdin = bytes.NewBufferString(rules)
	for _, cmd := range []*exec.Cmd{exec.Command("ip", "link", "set", "lo", "up"), nft} {
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", cmd.Path, err, out)
		}
	}
	for name, value := range map[string]string{
		"nf_conntrack_tcp_loose":               "0", // or a packet makes it known again
		"nf_conntrack_tcp_timeout_established": fmt.Sprint(int(forgetsAfter / time.Second)),
	} {
		if err := os.WriteFile("/proc/sys/net/netfilter/"+name, []byte(value), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func run(w io.Writer) error {
	if err := balancer(); err != nil {
		return err
	}
	address, err := echo()
	if err != nil {
		return err
	}
	plan, err := align.Request{Path: []align.Profile{
		{ID: "balancer", Timeout: forgetsAfter, Refreshed: platform.Yes},
	}}.Plan()
	if err != nil {
		return err
	}
	aligned, err := dialer.New(plan.Config)
	if err != nil {
		return err
	}
	hook := &net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { // which package net overwrites
			syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1)
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 1)
		})
	}}
	fmt.Fprintf(w, "silent for %s, through a load balancer that forgets after %s\n", silent, forgetsAfter)
	clients := []struct {
		name string
		dial func(network, address string) (net.Conn, error)
	}{
		{"net.Dialer", new(net.Dialer).Dial},
		{"net.Dialer with the usual hook", hook.Dial},
		{"plan: " + plan.Config.String(), aligned.Dial},
	}
	results := make([]string, len(clients))
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() { results[i] = silence(c.dial, address) })
	}
	wg.Wait()
	for i, c := range clients {
		fmt.Fprintf(w, "%-55s %s\n", c.name, results[i])
	}
	return nil
}

// silence makes a connection, is silent and asks again.
func silence(dial func(network, address string) (net.Conn, error), address string) string {
	c, err := dial("tcp", address)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	if err := ask(c); err != nil {
		return err.Error()
	}
	time.Sleep(silent)
	if err := ask(c); err != nil {
		return "dead: " + err.Error()
	}
	return "alive"
}

func ask(c net.Conn) error {
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	if _, err := c.Write([]byte{1}); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

// echo starts a server without keepalive of its own.
func echo() (address string, err error) {
	lc := net.ListenConfig{KeepAlive: -1}
	l, err := lc.Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go io.Copy(c, c)
		}
	}()
	return l.Addr().String(), nil
}
