package sockets

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/flags"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/alike"
	"github.com/tcpkeepalive/keepalive/internal/endpoint"
)

// A Selection says which sockets to list.
type Selection struct {
	Place
	states     []string
	Local      []string
	Peer       []string
	Listening  bool
	ipv4, ipv6 bool

	Filter   inspect.Filter
	narrowed bool // not all sockets of this machine are wanted
}

// AddFlags adds --state, --local, --peer and the flags of a Place.
func (s *Selection) AddFlags(cmd *cobra.Command) {
	s.Place.AddFlags(cmd, "sockets")
	f := cmd.Flags()
	f.StringSliceVar(&s.states, "state", nil, "only these states: "+strings.Join(stateWords(), ", ")+" (default: connected)")
	f.StringSliceVar(&s.Local, "local", nil, "only sockets with this local address, prefix, :port or :port-port; any of several")
	f.StringSliceVar(&s.Peer, "peer", nil, "only sockets with this peer, written like --local")
	f.BoolVarP(&s.Listening, "listening", "l", false, "only listeners")
	f.BoolVarP(&s.ipv4, "ipv4", "4", false, "only IPv4")
	f.BoolVarP(&s.ipv6, "ipv6", "6", false, "only IPv6")
	if err := cmd.RegisterFlagCompletionFunc("state", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return stateWords(), cobra.ShellCompDirectiveNoFileComp
	}); err != nil {
		panic(err) // the flag does not exist
	}
}

// AllStates are the states that a socket can have.
var AllStates = []inspect.State{
	inspect.Established, inspect.SynSent, inspect.SynReceived, inspect.FinWait1, inspect.FinWait2, inspect.TimeWait, inspect.Closed,
	inspect.CloseWait, inspect.LastAck, inspect.Listen, inspect.Closing, inspect.BoundInactive,
}

// connectedStates are the states that are listed without --state.
var connectedStates = []inspect.State{
	inspect.Established, inspect.SynSent, inspect.FinWait1, inspect.FinWait2, inspect.CloseWait, inspect.LastAck, inspect.Closing,
}

// stateSets has the words of --state, which are those of ss.
var stateSets = map[string][]inspect.State{
	"all":          AllStates,
	"connected":    connectedStates,
	"established":  {inspect.Established},
	"syn-sent":     {inspect.SynSent},
	"syn-recv":     {inspect.SynReceived},
	"fin-wait-1":   {inspect.FinWait1},
	"fin-wait-2":   {inspect.FinWait2},
	"time-wait":    {inspect.TimeWait},
	"closed":       {inspect.Closed},
	"close-wait":   {inspect.CloseWait},
	"last-ack":     {inspect.LastAck},
	"listening":    {inspect.Listen},
	"closing":      {inspect.Closing},
	"bound":        {inspect.BoundInactive},
	"synchronized": StatesWithout(connectedStates, inspect.SynSent),
}

// StatesWithout returns all states except some.
func StatesWithout(states []inspect.State, some ...inspect.State) []inspect.State {
	return slices.DeleteFunc(slices.Clone(states), func(s inspect.State) bool { return slices.Contains(some, s) })
}

// statesNamed returns the states of a word of --state. It also accepts a state as the table
// prints it, such as ESTAB.
func statesNamed(word string) []inspect.State {
	if states := stateSets[strings.ToLower(word)]; states != nil {
		return states
	}
	for _, s := range AllStates {
		if strings.EqualFold(word, s.String()) {
			return []inspect.State{s}
		}
	}
	return nil
}

func stateWords() []string {
	words := make([]string, 0, len(stateSets))
	for w := range stateSets {
		words = append(words, w)
	}
	sort.Strings(words)
	return words
}

// Parse sets the filter according to the flags.
func (s *Selection) Parse(cmd *cobra.Command) error {
	if err := exit.Join(flags.Exclusive(cmd, "listening", "state"), flags.Exclusive(cmd, "ipv4", "ipv6")); err != nil {
		return err
	}
	var states []inspect.State
	for _, word := range s.states {
		named := statesNamed(word)
		if named == nil {
			return exit.UsageError(fmt.Errorf("--state %q: want one of %s%s", word, strings.Join(stateWords(), ", "), alike.Question(alike.Nearest(word, stateWords()))))
		}
		states = append(states, named...)
	}
	if s.Listening {
		states = []inspect.State{inspect.Listen}
	}
	f := inspect.Filter{States: states, Local: s.Local, Peer: s.Peer}
	switch {
	case s.ipv4:
		f.Network = "tcp4"
	case s.ipv6:
		f.Network = "tcp6"
	}
	for _, side := range []struct {
		flag string
		text []string
	}{{"--local", s.Local}, {"--peer", s.Peer}} {
		for _, text := range side.text {
			if _, err := endpoint.Parse(text); err != nil {
				return exit.UsageError(fmt.Errorf("%s %w", side.flag, err))
			}
		}
	}
	s.Filter = f
	for _, name := range []string{"pid", "netns", "state", "local", "peer", "listening", "ipv4", "ipv6"} {
		s.narrowed = s.narrowed || cmd.Flags().Changed(name)
	}
	return s.Place.Parse(cmd)
}

// listError returns the error that ended the list in the words of the command, and with its
// exit code.
func listError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return exit.DeniedError(fmt.Errorf("the list of sockets: %w", err))
	}
	return err
}
