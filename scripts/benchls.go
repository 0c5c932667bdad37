//go:build ignore

// Benchls compares keepalive ls with ss on a population of idle connections, in
// a network namespace of its own, as whole processes and side by side:
//
//	sudo go run scripts/benchls.go -sockets 10000
//
// For each row both commands run in turn; printed are the medians and the
// quartiles of the ratio of each pair, ours to theirs. Half of the sockets have
// keepalive on. The peak of memory is what time(1) tells (Debian: time), as a
// child of this program would inherit this program's.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// perHolder keeps each process below the usual limit of descriptors.
const perHolder = 8000

var rows = []struct{ name, ours, theirs string }{
	{"without owners", "ls --ss", "ss -Htno"},
	{"with owners", "ls --ss --process", "ss -Htnop"},
}

func main() {
	log.SetFlags(0)
	sockets := flag.Int("sockets", 10000, "how many")
	rounds := flag.Int("rounds", 21, "of each pair")
	hold := flag.Int("hold", 0, "for its own use: connections to make and hold")
	program := flag.String("keepalive", "", "the program, if it is already built")
	flag.Parse()
	if *hold > 0 {
		holdConnections(*hold)
		return
	}
	if os.Getenv("BENCHLS_INSIDE") == "" {
		os.Exit(inNamespace())
	}
	if *program == "" {
		*program = build()
	}
	var holders []*exec.Cmd
	defer func() {
		for _, h := range holders {
			h.Process.Kill()
			h.Wait()
		}
	}()
	for left := *sockets / 2; left > 0; left -= perHolder {
		h, err := startHolder(min(left, perHolder))
		if err != nil {
			log.Print(err)
			return
		}
		holders = append(holders, h)
	}
	fmt.Printf("%d sockets\n", *sockets)
	for _, row := range rows {
		ours := append([]string{*program}, strings.Fields(row.ours)...)
		compare(row.name, ours, strings.Fields(row.theirs), *rounds)
	}
}

// inNamespace runs this program once more in a network namespace of its own.
func inNamespace() int {
	self := exec.Command("unshare", append([]string{"--net", "sh", "-c", `ip link set lo up && exec "$@"`, "sh", os.Args[0]}, os.Args[1:]...)...)
	self.Env = append(os.Environ(), "BENCHLS_INSIDE=1")
	self.Stdin, self.Stdout, self.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := self.Run(); err != nil {
		log.Print(err)
		return 1
	}
	return 0
}

// build makes the program as a release is: without cgo, whose dynamic linking
// takes a third of a short run.
func build() string {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("keepalive-bench-%d", os.Getpid()))
	cmd := exec.Command("go", "build", "-o", path, "./cmd/keepalive")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		log.Fatal(err)
	}
	return path
}

func startHolder(n int) (*exec.Cmd, error) {
	h := exec.Command(os.Args[0], "-hold", fmt.Sprint(n))
	h.Stderr = os.Stderr
	out, err := h.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := h.Start(); err != nil {
		return nil, err
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		return nil, fmt.Errorf("the process that holds %d connections: %w", n, err)
	}
	return h, nil
}

func holdConnections(n int) {
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Hour, Interval: time.Minute, Count: 5}}
	var conns []net.Conn
	for range n {
		c, err := d.Dial("tcp", l.Addr().String())
		if err != nil {
			log.Fatal(err)
		}
		s, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		conns = append(conns, c, s)
	}
	fmt.Println("ready")
	time.Sleep(time.Hour) // until it is killed
}

// A cost is that of one process.
type cost struct{ wall, cpu, peak float64 }

func run(command []string) cost {
	cmd := exec.Command(command[0], command[1:]...)
	start := time.Now()
	if err := cmd.Run(); err != nil { // its output goes to /dev/null
		log.Fatalf("%s: %v", strings.Join(command, " "), err)
	}
	wall := time.Since(start)
	return cost{
		wall: wall.Seconds(),
		cpu:  (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(),
		peak: peak(command),
	}
}

// peak runs the command once more, and returns its largest resident size in MB.
func peak(command []string) float64 {
	cmd := exec.Command("/usr/bin/time", append([]string{"-f", "%M"}, command...)...)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		log.Fatalf("/usr/bin/time %s: %v", strings.Join(command, " "), err)
	}
	var kb float64
	if _, err := fmt.Sscan(said.String(), &kb); err != nil {
		log.Fatalf("/usr/bin/time said %q", said.String())
	}
	return kb / 1024
}

func compare(name string, ours, theirs []string, rounds int) {
	var a, b []cost
	run(ours)
	run(theirs)
	for i := range rounds {
		if i%2 == 0 {
			a, b = append(a, run(ours)), append(b, run(theirs))
		} else {
			b, a = append(b, run(theirs)), append(a, run(ours))
		}
	}
	fmt.Printf("%s: keepalive %s / %s\n", name, strings.Join(ours[1:], " "), strings.Join(theirs, " "))
	for _, what := range []struct {
		name  string
		scale float64
		unit  string
		of    func(cost) float64
	}{
		{"wall", 1000, "ms", func(c cost) float64 { return c.wall }},
		{"cpu", 1000, "ms", func(c cost) float64 { return c.cpu }},
		{"peak memory", 1, "MB", func(c cost) float64 { return c.peak }},
	} {
		var x, y, ratio []float64
		for i := range a {
			x, y = append(x, what.of(a[i])), append(y, what.of(b[i]))
			ratio = append(ratio, what.of(a[i])/what.of(b[i]))
		}
		fmt.Printf("  %-12s %8.2f / %8.2f %s  ratio %.3f [%.3f..%.3f]\n", what.name,
			what.scale*quantile(x, 0.5), what.scale*quantile(y, 0.5), what.unit,
			quantile(ratio, 0.5), quantile(ratio, 0.25), quantile(ratio, 0.75))
	}
}

func quantile(values []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return s[int(q*float64(len(s)-1)+0.5)]
}
