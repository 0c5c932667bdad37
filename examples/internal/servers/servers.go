// Package servers starts real servers for the examples: on free ports of the
// loopback interface, with all their files in a temporary directory.
package servers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/testkit/freeport"
)

// ErrMissing means that a server is not installed. The error says how to.
var ErrMissing = errors.New("is not installed")

// A Server is one that runs. Stop ends it and removes its files.
type Server struct {
	Address string // host:port
	Port    int
	Dir     string // its files
	Stop    func()
}

// nobody runs servers that refuse to run as root.
const nobody = 65534

// program finds one in $PATH or where Debian puts it.
func program(name, debian string, patterns ...string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, p := range patterns {
		if found, err := filepath.Glob(p); err == nil && len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", fmt.Errorf("%s %w: apt-get install %s", name, ErrMissing, debian)
}

// A setup makes the files of a server in dir, and returns how to run it.
type setup func(dir string, port int) (*exec.Cmd, error)

// run sets a server up and waits until it listens.
func run(owner int, prepare setup) (_ *Server, err error) {
	dir, err := os.MkdirTemp("", "keepalive-example-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	if err := errors.Join(os.Chmod(dir, 0o755), chown(dir, owner)); err != nil {
		return nil, err
	}
	port, err := freeport.Find()
	if err != nil {
		return nil, err
	}
	cmd, err := prepare(dir, port)
	if err != nil {
		return nil, err
	}
	output := filepath.Join(dir, "output")
	log, err := os.Create(output)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	as(cmd, owner)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	s := &Server{Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Port: port, Dir: dir}
	s.Stop = func() {
		terminate(cmd)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			kill(cmd)
			<-ended
		}
		os.RemoveAll(dir)
	}
	if err := waitFor(s.Address, ended); err != nil {
		text, _ := os.ReadFile(output)
		kill(cmd)
		return nil, fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, text)
	}
	return s, nil
}

// waitFor waits until something listens. ended is given back.
func waitFor(address string, ended chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			return c.Close()
		}
		select {
		case err := <-ended:
			ended <- err
			return fmt.Errorf("ended: %v", err)
		case <-ctx.Done():
			return fmt.Errorf("does not listen: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// write writes a file of a server.
func write(dir, name, text string) (string, error) {
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, []byte(text), 0o644)
}

// command runs a program that sets a server up.
func command(owner int, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = "/"
	as(cmd, owner)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, out)
	}
	return nil
}

// Redis starts redis-server with additional lines of configuration.
func Redis(config string) (*Server, error) {
	path, err := program("redis-server", "redis-server")
	if err != nil {
		return nil, err
	}
	return run(0, func(dir string, port int) (*exec.Cmd, error) {
		if !strings.Contains(config, "tls-port PORT") {
			config += fmt.Sprintf("\nport %d\n", port)
		}
		config = strings.ReplaceAll(config, "PORT", strconv.Itoa(port))
		file, err := write(dir, "redis.conf", "bind 127.0.0.1\nsave \"\"\ndir "+dir+"\n"+config)
		return exec.Command(path, file), err
	})
}

// Nginx starts nginx with these directives in a server that listens as told:
// "so_keepalive=30s:10s:3".
func Nginx(listen, directives string) (*Server, error) {
	path, err := program("nginx", "nginx-light", "/usr/sbin/nginx")
	if err != nil {
		return nil, err
	}
	return run(0, func(dir string, port int) (*exec.Cmd, error) {
		file, err := write(dir, "nginx.conf", fmt.Sprintf(
			"daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\nserver {\nlisten 127.0.0.1:%d %s;\n%s\n}\n}\n",
			port, listen, directives))
		return exec.Command(path, "-p", dir+"/", "-c", file), err
	})
}

// PostgreSQL starts a new cluster with additional lines of configuration. Its
// superuser is postgres, without a password.
func PostgreSQL(config string) (*Server, error) {
	initdb, err := program("initdb", "postgresql", "/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return nil, err
	}
	if initdb, err = filepath.EvalSymlinks(initdb); err != nil {
		return nil, err
	}
	postgres, isReady := filepath.Join(filepath.Dir(initdb), "postgres"), filepath.Join(filepath.Dir(initdb), "pg_isready")
	s, err := run(nobody, func(dir string, port int) (*exec.Cmd, error) {
		data := filepath.Join(dir, "data")
		if err := command(nobody, initdb, "--auth=trust", "--username=postgres", "--no-sync", "--pgdata="+data); err != nil {
			return nil, err
		}
		file, err := write(dir, "postgresql.conf", fmt.Sprintf(
			"listen_addresses = '127.0.0.1'\nport = %d\nunix_socket_directories = ''\nfsync = off\n%s\n", port, config))
		if err != nil {
			return nil, err
		}
		cmd := exec.Command(postgres, "-D", data, "-c", "config_file="+file)
		cmd.Dir = "/"
		return cmd, nil
	})
	if err != nil {
		return nil, err
	}
	// It listens before it is ready.
	for range 500 {
		if err = command(0, isReady, "-h", "127.0.0.1", "-p", strconv.Itoa(s.Port)); err == nil {
			return s, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.Stop()
	return nil, err
}

// MariaDB starts a new server with additional lines of configuration. Its user root
// needs no password.
func MariaDB(config string) (*Server, error) {
	mariadbd, err := program("mariadbd", "mariadb-server", "/usr/sbin/mariadbd")
	if err != nil {
		return nil, err
	}
	install, err := program("mariadb-install-db", "mariadb-server")
	if err != nil {
		return nil, err
	}
	return run(nobody, func(dir string, port int) (*exec.Cmd, error) {
		file, err := write(dir, "my.cnf", fmt.Sprintf(
			"[mariadbd]\nbind-address=127.0.0.1\nport=%d\ndatadir=%s/data\nsocket=%[2]s/socket\npid-file=%[2]s/pid\ninnodb-flush-method=fsync\n%s\n", port, dir, config))
		if err != nil {
			return nil, err
		}
		err = command(nobody, install, "--defaults-file="+file, "--datadir="+filepath.Join(dir, "data"),
			"--auth-root-authentication-method=normal", "--skip-test-db")
		cmd := exec.Command(mariadbd, "--defaults-file="+file)
		cmd.Dir = "/"
		return cmd, err
	})
}
