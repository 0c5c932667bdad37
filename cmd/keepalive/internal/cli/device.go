package cli

import (
	"fmt"
	"net"
)

var deviceNames = map[uint32]string{}

// deviceName returns the name of an interface, which takes netlink to find out,
// or "if7" for one that is gone.
func deviceName(index uint32) string {
	if name, ok := deviceNames[index]; ok {
		return name
	}
	name := fmt.Sprintf("if%d", index)
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		name = i.Name
	}
	deviceNames[index] = name
	return name
}
