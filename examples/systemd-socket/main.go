// Command systemd-socket is an echo server that systemd starts when somebody
// connects. Its connections have the keepalive of the .socket unit
// (KeepAliveTimeSec= and so on), which package net would overwrite with 15 s, 15 s
// and 9.
//
//	sudo cp systemd-socket/echo.* /etc/systemd/system/
//	sudo systemctl start echo.socket
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"

	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func main() {
	log.SetFlags(0) // systemd's journal has the time
	l, err := inherited()
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(serve(l))
}

// inherited returns the listener that systemd passes (sd_listen_fds(3)), with the
// options that its unit gave it.
func inherited() (net.Listener, error) {
	const firstDescriptor = 3
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) || os.Getenv("LISTEN_FDS") != "1" {
		return nil, errors.New("systemd passed no socket: start echo.socket, or systemd-socket-activate -l 7777 ./systemd-socket")
	}
	f := os.NewFile(firstDescriptor, "socket of systemd")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("the socket of systemd: %w", err)
	}
	return listener.Restore(l)
}

func serve(l net.Listener) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			settings, err := sockopt.Get(c)
			log.Printf("%s: %v %v", c.RemoteAddr(), settings, err)
			io.Copy(c, c)
		}()
	}
}
