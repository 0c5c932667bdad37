package sockets

import (
	"fmt"
	"net"
)

// devices maps the index of an interface to its name, in the network namespace of the
// calling thread.
type devices map[uint32]string

// name asks package net, which uses netlink. An interface that no longer exists is called
// "if" and its index.
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

// A Namer names the interfaces of one namespace at a time.
type Namer struct {
	NetNS   Namespace
	devices devices
}

// Enter selects a namespace, and reports whether it differs from the one before.
func (n *Namer) Enter(ns Namespace) bool {
	if n.NetNS.Namespace == ns.Namespace {
		return false
	}
	n.NetNS, n.devices = ns, devices{}
	return true
}

// DeviceName returns the name of the interface with this index in the selected namespace.
func (n *Namer) DeviceName(index uint32) string {
	if _, known := n.devices[index]; !known {
		_ = n.NetNS.Do(func() error { n.devices.name(index); return nil }) // if7 is its name otherwise
	}
	return n.devices.name(index)
}
