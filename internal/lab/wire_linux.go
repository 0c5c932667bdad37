package lab

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// A Wire connects a client and a server, each in its own namespace, by a pair of TUN
// devices: every packet passes through this process, which delays it and may drop it.
// Faults take effect at once.
type Wire struct {
	Client, Server *Namespace

	mu   sync.Mutex
	lose func(toServer bool, packet []byte) bool
}

// WireServer is the server's address on a Wire, WireClient the client's.
const (
	WireServer = "10.79.0.2"
	WireClient = "10.79.0.1"
)

// NewWire creates a wire for the duration of the test, with this delay in each direction.
// It needs what NewNamespace needs, and /dev/net/tun, which often only root may open.
func NewWire(t testing.TB, delay time.Duration) *Wire {
	t.Helper()
	w := &Wire{Client: NewNamespace(t), Server: NewNamespace(t), lose: loseNothing}
	client := w.Client.tun(WireClient, WireServer)
	server := w.Server.tun(WireServer, WireClient)
	w.carry(client, server, true, delay)
	w.carry(server, client, false, delay)
	return w
}

// tun creates a TUN device with this address.
func (n *Namespace) tun(address, peer string) *os.File {
	n.t.Helper()
	var file *os.File
	err := n.Do(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		request, err := unix.NewIfreq("wire")
		if err != nil {
			return err
		}
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
			unix.Close(fd)
			return err
		}
		file = os.NewFile(uintptr(fd), "tun") // registered with the poller only after TUNSETIFF
		return nil
	})
	if os.IsNotExist(err) || os.IsPermission(err) {
		testkit.Need(n.t, false, "needs /dev/net/tun: "+err.Error())
	}
	require.NoError(n.t, err)
	n.t.Cleanup(func() { file.Close() })
	n.IP("addr add "+address+" peer "+peer+" dev wire", "link set wire up txqueuelen 10000")
	return file
}

// A delayed packet is delivered when it is due.
type delayed struct {
	due  time.Time
	data []byte
}

// carry forwards packets from one end to the other, in order, until they are
// closed.
func (w *Wire) carry(from, to *os.File, toServer bool, delay time.Duration) {
	queue := make(chan delayed, 1<<16)
	go func() {
		defer close(queue)
		buffer := make([]byte, 1<<16)
		for {
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			if !w.loses(toServer, buffer[:n]) {
				queue <- delayed{time.Now().Add(delay), append([]byte(nil), buffer[:n]...)}
			}
		}
	}()
	go func() {
		for p := range queue {
			time.Sleep(time.Until(p.due))
			to.Write(p.data) // to may be closed by now
		}
	}()
}

func (w *Wire) loses(toServer bool, packet []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lose(toServer, packet)
}

// Lose sets the function that decides which packets are lost.
func (w *Wire) Lose(lose func(toServer bool, packet []byte) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = lose
}

// Break makes the wire drop all packets from now on.
func (w *Wire) Break() { w.Lose(func(bool, []byte) bool { return true }) }

func loseNothing(bool, []byte) bool { return false }
