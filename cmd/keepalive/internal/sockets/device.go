package sockets

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

// A Namer names the interfaces of the namespace at hand.
type Namer struct {
	NetNS   Namespace
	devices devices
}

// Enter begins with a namespace, and tells whether it is another one.
func (n *Namer) Enter(ns Namespace) bool {
	if n.NetNS.Namespace == ns.Namespace {
		return false
	}
	n.NetNS, n.devices = ns, devices{}
	return true
}

// DeviceName is the name of an interface of the namespace, by its index.
func (n *Namer) DeviceName(index uint32) string {
	if _, known := n.devices[index]; !known {
		_ = n.NetNS.Do(func() error { n.devices.name(index); return nil }) // if7 is its name otherwise
	}
	return n.devices.name(index)
}
