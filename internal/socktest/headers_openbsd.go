package socktest

import "golang.org/x/sys/unix"

// There is nothing else.
var headers = [options]Header{{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0}}
