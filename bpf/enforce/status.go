package enforce

import (
	"github.com/tcpkeepalive/keepalive/internal/enum"
	"github.com/tcpkeepalive/keepalive/internal/errname"
)

// A State says whether a policy is carried out.
type State uint8

const (
	// Enforced policies are in effect.
	Enforced State = iota
	// Interrupted are the remains of an [Attach] or [Remove] that did not end. Nothing is
	// enforced.
	Interrupted
	// CgroupRemoved means that the control group no longer exists, and with it the policy:
	// one of the same name that was made later is another.
	CgroupRemoved
	// Replaced means that somebody detached one of the programs, or put another in its
	// place. What is enforced is not known.
	Replaced
)

// String returns "enforced", "interrupted", "cgroup removed" or "replaced".
func (s State) String() string {
	return enum.Name("State", s, "enforced", "interrupted", "cgroup removed", "replaced")
}

// Counters say what the programs of a policy have done since it was attached; [Update] does
// not reset them.
type Counters struct {
	Sockets   uint64 // connections on which the policy set options
	Failures  uint64 // of them, those with an option that the kernel refused; and calls that could not be noted for lack of memory
	Rewritten uint64 // calls of setsockopt whose value was replaced
}

// A Status describes what is attached to one control group.
type Status struct {
	Cgroup   string // the directory, as it was given to Attach
	CgroupID uint64 // its number, which the kernel never uses again
	State    State
	Problem  string // why the State is not Enforced, and what to do
	Policy   Policy // as the kernel has it; empty if it is not known
	Counters Counters
}

// named begins an error with the name of the package, where it leaves the package.
func named(err error) error { return errname.With("enforce", err) }
