package testkit

import "golang.org/x/sys/unix"

// There are no other options.
var headers = [options]Header{{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0}}
