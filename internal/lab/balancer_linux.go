package lab

import (
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"
)

// A Balancer is a network load balancer between a client and a server, each in
// its own namespace: a router that forwards connections to the server, and
// forgets connections that are silent for too long.
type Balancer struct {
	Client, Server *Namespace
	router         *Namespace
}

const (
	balancerAddress = "10.77.1.1"
	serverAddress   = "10.77.2.2"
)

// Forgets says what a Balancer does with packets of a connection that it has forgotten.
type Forgets string

const (
	Resets Forgets = "reject with tcp reset" // like the NLB of AWS
	Drops  Forgets = "drop"                  // like most NATs and firewalls
)

// NewBalancer makes a balancer for the duration of the test. It forgets a
// connection after timeout, in whole seconds. It needs what NewNamespace needs,
// and the program nft.
func NewBalancer(t testing.TB, timeout time.Duration, forgets Forgets) *Balancer {
	t.Helper()
	b := &Balancer{Client: NewNamespace(t), Server: NewNamespace(t), router: NewNamespace(t)}
	b.router.Connect("client", balancerAddress+"/24", b.Client, "eth0", "10.77.1.2/24")
	b.router.Connect("server", "10.77.2.1/24", b.Server, "eth0", serverAddress+"/24")
	b.Client.IP("route add default via " + balancerAddress)
	b.Server.IP("route add default via 10.77.2.1")
	b.router.Sysctl("net.ipv4.ip_forward", "1")
	b.router.Run(fmt.Sprintf(`
table ip balancer {
	chain address {
		type nat hook prerouting priority dstnat
		iifname "client" ip daddr %s meta l4proto tcp dnat to %s
	}
	# A packet of no known connection keeps the balancer's address, and lands here.
	chain input {
		type filter hook input priority filter
		iifname "client" ct state invalid %s
	}
	chain forward {
		type filter hook forward priority filter
		ct state established,related accept
		ct state new tcp flags & (syn|ack) == syn accept
		meta l4proto tcp %s
		drop
	}
}
`, balancerAddress, serverAddress, forgets, forgets), "nft", "-f", "-")
	// Without this a packet of a forgotten connection makes the balancer track the
	// connection again.
	b.router.Sysctl("net.netfilter.nf_conntrack_tcp_loose", "0")
	b.router.Sysctl("net.netfilter.nf_conntrack_tcp_timeout_established", strconv.Itoa(int(timeout/time.Second)))
	return b
}

// Address returns the address that the client dials to reach this port of the server.
func (b *Balancer) Address(port int) string {
	return net.JoinHostPort(balancerAddress, strconv.Itoa(port))
}

// Break makes the balancer drop all packets from now on, in both directions.
func (b *Balancer) Break() { b.Lose() }

// Lose drops all packets until heal is called.
func (b *Balancer) Lose() (heal func()) {
	b.router.Run(`
table ip broken {
	chain forward {
		type filter hook forward priority -10
		drop
	}
}
`, "nft", "-f", "-")
	return func() { b.router.Run("delete table ip broken", "nft", "-f", "-") }
}

// Vanish removes the server's machine: from now on it answers nothing, not even ARP.
func (b *Balancer) Vanish() {
	b.Server.Run(`
table netdev gone {
	chain ingress {
		type filter hook ingress device "eth0" priority 0
		drop
	}
}
`, "nft", "-f", "-")
	b.router.IP("neigh flush all")
}
