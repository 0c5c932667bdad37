// Package enforce gives the sockets of programs that cannot be changed the keepalive
// settings that a policy demands, from their first packet on (Linux 5.9).
//
// A [Policy] is attached to a control group (cgroup v2): to that of a service, of a
// container, or to a parent of several. Two BPF programs carry it out in the kernel. One
// sets the options when a connection is established, so a program that never asks for
// keepalive gets it. The other looks at each setsockopt of the program, so that one that
// asks for something else, as package net does with its 15 s, does not get it. They are
// pinned in a BPF file system, so no process needs to stay: [Attach], [Update], [Remove]
// and [List] return when the kernel has done what they say. [Hold] pins nothing, for a
// policy that ends with the calling process.
//
// # What a policy reaches
//
// A socket belongs to the control group in which its program was when it made the socket,
// and an accepted socket to that of its listener. So a policy reaches the connections that
// a running program makes or accepts afterwards, without a restart, but not sockets of a
// process that was moved into the control group later. Connections that exist already keep
// their settings, until the program sets an option on them.
//
// If control groups above each other have policies, both run, the outer one last: where
// both have an option, that of the outer one counts.
//
// The connections of Multipath TCP get the settings on each subflow, including the user
// timeout; getsockopt on the Multipath TCP socket shows what the program has set there, not
// the subflows' settings. What the program has asked for cannot be seen from the subflow,
// so [Default] and [Clamp] treat it as a program that asked for nothing.
//
// A program that asks for a value which the kernel refuses (TCP_KEEPIDLE=100000) gets the
// error that it would get without a policy. All others succeed; that a value was replaced
// can be seen with getsockopt only.
//
// A 32-bit program on a 64-bit kernel gets the settings when its connection is established,
// and keeps what it sets itself afterwards, whatever the mode: the kernel does not show its
// setsockopt calls to BPF (do_sock_setsockopt in net/socket.c).
//
// # Permissions
//
// Everything takes CAP_BPF and CAP_NET_ADMIN in the initial user namespace, and permission
// to write below the directory of the pins. The sockets of a policy follow it whoever sets
// an option on them, root and other processes with a duplicate of the descriptor included;
// only BPF programs do not.
//
// # Crashes
//
// A policy comes into effect, changes and ends with one system call each, the insertion
// into or deletion from a map that both programs read. If the calling process dies at any
// other moment, the old state is in effect, and [List] shows what was left behind as
// [Interrupted]; [Attach] and [Remove] clear it away.
package enforce
