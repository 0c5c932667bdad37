package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/alike"
)

// A selection is which sockets are wanted.
type selection struct {
	place
	states     []string
	local      []string
	peer       []string
	listening  bool
	ipv4, ipv6 bool

	filter   inspect.Filter
	narrowed bool // not all sockets of this machine are wanted
}

func (s *selection) addFlags(cmd *cobra.Command) {
	s.place.addFlags(cmd, "sockets")
	f := cmd.Flags()
	f.StringSliceVar(&s.states, "state", nil, "only these states: "+strings.Join(stateWords(), ", ")+" (default: connected)")
	f.StringSliceVar(&s.local, "local", nil, "only sockets with this local address, prefix, :port or :port-port; any of several")
	f.StringSliceVar(&s.peer, "peer", nil, "only sockets with this peer, written like --local")
	f.BoolVarP(&s.listening, "listening", "l", false, "only listeners")
	f.BoolVarP(&s.ipv4, "ipv4", "4", false, "only IPv4")
	f.BoolVarP(&s.ipv6, "ipv6", "6", false, "only IPv6")
	if err := cmd.RegisterFlagCompletionFunc("state", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return stateWords(), cobra.ShellCompDirectiveNoFileComp
	}); err != nil {
		panic(err) // the flag does not exist
	}
}

// stateSets are the words of --state: those that ss knows.
var stateSets = map[string]inspect.StateSet{
	"all":          inspect.AllStates,
	"connected":    0,
	"established":  inspect.States(inspect.Established),
	"syn-sent":     inspect.States(inspect.SynSent),
	"syn-recv":     inspect.States(inspect.SynReceived, inspect.NewSynReceived),
	"fin-wait-1":   inspect.States(inspect.FinWait1),
	"fin-wait-2":   inspect.States(inspect.FinWait2),
	"time-wait":    inspect.States(inspect.TimeWait),
	"closed":       inspect.States(inspect.Closed),
	"close-wait":   inspect.States(inspect.CloseWait),
	"last-ack":     inspect.States(inspect.LastAck),
	"listening":    inspect.States(inspect.Listen),
	"closing":      inspect.States(inspect.Closing),
	"bound":        inspect.States(inspect.BoundInactive),
	"synchronized": connectedStates &^ inspect.States(inspect.SynSent),
}

// connectedStates is what the zero StateSet stands for.
var connectedStates = func() (set inspect.StateSet) {
	for s := range inspect.BoundInactive + 1 {
		if inspect.StateSet(0).Has(s) {
			set |= inspect.States(s)
		}
	}
	return set
}()

// statesNamed also takes a state as it is printed: ESTAB.
func statesNamed(word string) (set inspect.StateSet, ok bool) {
	if set, ok = stateSets[strings.ToLower(word)]; ok {
		return set, true
	}
	for s := inspect.Established; s <= inspect.BoundInactive; s++ {
		if strings.EqualFold(word, s.String()) {
			return inspect.States(s), true
		}
	}
	return 0, false
}

func stateWords() []string {
	words := make([]string, 0, len(stateSets))
	for w := range stateSets {
		words = append(words, w)
	}
	sort.Strings(words)
	return words
}

// exclusive refuses two of these flags at once. (cobra's own check is not told
// from other errors.)
func exclusive(cmd *cobra.Command, names ...string) error {
	given := ""
	for _, name := range names {
		switch {
		case !cmd.Flags().Changed(name):
		case given != "":
			return usageError{fmt.Errorf("--%s and --%s exclude each other", given, name)}
		default:
			given = name
		}
	}
	return nil
}

// parse turns the flags into the filter.
func (s *selection) parse(cmd *cobra.Command) error {
	if err := several(exclusive(cmd, "listening", "state"), exclusive(cmd, "ipv4", "ipv6")); err != nil {
		return err
	}
	var states inspect.StateSet
	for _, word := range s.states {
		set, ok := statesNamed(word)
		if !ok {
			return usageError{fmt.Errorf("--state %q: want one of %s%s", word, strings.Join(stateWords(), ", "), alike.Question(alike.Nearest(word, stateWords())))}
		}
		if set == 0 {
			set = connectedStates
		}
		states |= set
	}
	if s.listening {
		states = inspect.States(inspect.Listen)
	}
	f := inspect.Filter{States: states}
	switch {
	case s.ipv4:
		f.Family = inspect.IPv4
	case s.ipv6:
		f.Family = inspect.IPv6
	}
	for _, side := range []struct {
		flag string
		text []string
		to   *[]inspect.Endpoint
	}{{"--local", s.local, &f.Local}, {"--peer", s.peer, &f.Peer}} {
		for _, text := range side.text {
			e, err := inspect.ParseEndpoint(text)
			if err != nil {
				return usageError{fmt.Errorf("%s %w", side.flag, err)}
			}
			*side.to = append(*side.to, e)
		}
	}
	s.filter = f
	for _, name := range []string{"pid", "netns", "state", "local", "peer", "listening", "ipv4", "ipv6"} {
		s.narrowed = s.narrowed || cmd.Flags().Changed(name)
	}
	return s.place.parse(cmd)
}

// listError tells how the list ended, in the words and with the exit code of
// the command.
func listError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return deniedError{fmt.Errorf("the list of sockets: %w", err)}
	}
	return err
}
