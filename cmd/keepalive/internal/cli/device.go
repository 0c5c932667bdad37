package cli

import (
	"fmt"
	"net"
)

// devices are names of interfaces, by index, in the network namespace of the
// thread that asks.
type devices map[uint32]string

// name takes netlink to find out. An interface that is gone is "if7".
func (d *devices) name(index uint32) string {
	if name, ok := (*d)[index]; ok {
		return name
	}
	name := fmt.Sprintf("if%d", index)
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		name = i.Name
	}
	if *d == nil {
		*d = devices{}
	}
	(*d)[index] = name
	return name
}

// A namer names the interfaces of the namespace at hand.
type namer struct {
	netns   opened
	devices devices
}

// enter begins with a namespace, and tells whether it is another one.
func (n *namer) enter(ns opened) bool {
	if n.netns.Namespace == ns.Namespace {
		return false
	}
	n.netns, n.devices = ns, devices{}
	return true
}

func (n *namer) deviceName(index uint32) string {
	if _, known := n.devices[index]; !known {
		_ = n.netns.do(func() error { n.devices.name(index); return nil }) // if7 is its name otherwise
	}
	return n.devices.name(index)
}
