package align

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Kind is what the Timeout of a [Profile] limits. [Profile.LimitsSilence] tells the
// first two of these words from the others:
//
//   - "idle timeout": the silence of a connection. "" stands for it.
//   - "server timeout": the silence of a connection as the server at its end sees it.
//     Only data counts, never a probe.
//   - "maximum age": the life of a connection, used or not.
//   - "request limit": the time that one request takes.
//   - "heuristic": nothing. It is what some client does on its own because of the
//     middleboxes that it has met.
type Kind string

const (
	idleTimeout   Kind = "idle timeout"
	serverTimeout Kind = "server timeout"
	maxAge        Kind = "maximum age"
	requestLimit  Kind = "request limit"
	heuristic     Kind = "heuristic"
)

var kinds = []Kind{idleTimeout, serverTimeout, maxAge, requestLimit, heuristic}

// String returns the word, "idle timeout" for "".
func (k Kind) String() string { return string(cmp.Or(k, idleTimeout)) }

// Evidence is how sure a fact of a [Profile] is:
//
//   - "given": the author of the profile states it. "" stands for it.
//   - "verified": the source states it, and we have read that.
//   - "secondary": somebody else who quotes the source states it.
//   - "inferred": it follows from the kind of product; the source does not state it.
//   - "from memory": nobody has looked it up.
//   - "not found": we have looked for it, and found nothing.
type Evidence string

const (
	given      Evidence = "given"
	verified   Evidence = "verified"
	secondary  Evidence = "secondary"
	inferred   Evidence = "inferred"
	fromMemory Evidence = "from memory"
	notFound   Evidence = "not found"
)

var evidences = []Evidence{given, verified, secondary, inferred, fromMemory, notFound}

// String returns the word, "given" for "".
func (e Evidence) String() string { return string(cmp.Or(e, given)) }

// Sure reports whether the fact is given or verified.
func (e Evidence) Sure() bool { return cmp.Or(e, given) == given || e == verified }

// Expiry is what a middlebox does when the time of a connection is over:
//
//   - "unknown": nobody knows it. "" stands for it.
//   - "silent drop": it forgets the connection, and drops every later packet. A write
//     hangs until the user timeout is over or, on Linux without one, for about 15
//     minutes.
//   - "silent, RST on next packet": it forgets the connection, and answers the next
//     packet with RST. So the next write succeeds, and the read after it fails with
//     ECONNRESET. The other end learns nothing.
//   - "RST to both ends": it sends RST to both ends at once.
//   - "closed": it ends the connection itself, as a peer does. A request that is on
//     its way at that moment is lost.
//   - "other": something else, which the ExpiryText of the profile describes.
type Expiry string

const (
	unknown         Expiry = "unknown"
	silent          Expiry = "silent drop"
	silentThenReset Expiry = "silent, RST on next packet"
	resets          Expiry = "RST to both ends"
	closes          Expiry = "closed"
	other           Expiry = "other"
)

var expiries = []Expiry{unknown, silent, silentThenReset, resets, closes, other}

// String returns the word, "unknown" for "".
func (e Expiry) String() string { return string(cmp.Or(e, unknown)) }

// Known reports whether it is known what the middlebox does.
func (e Expiry) Known() bool { return cmp.Or(e, unknown) != unknown }

// errWord returns an error if a word is none of words. A misspelled one would otherwise
// count as no information at all, and might be taken for the good case.
func errWord[T ~string](field string, word T, words []T) error {
	if word == "" || slices.Contains(words, word) {
		return nil
	}
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = fmt.Sprintf("%q", string(w))
	}
	return &ValueError{Field: field, Value: fmt.Sprintf("%q", string(word)), Limit: "one of " + strings.Join(quoted, ", ")}
}

// errWords returns a [*ValueError] for the first word of the profile that is none.
func (p Profile) errWords() error {
	return cmp.Or(
		errWord("kind of "+p.label(), p.Kind, kinds),
		errWord("timeout evidence of "+p.label(), p.TimeoutEvidence, evidences),
		errWord("half-closed evidence of "+p.label(), p.HalfClosedEvidence, evidences),
		errWord("expiry of "+p.label(), p.Expiry, expiries),
		errWord("expiry evidence of "+p.label(), p.ExpiryEvidence, evidences),
		errWord("refreshed evidence of "+p.label(), p.RefreshedEvidence, evidences),
	)
}

// spelled returns the profile with a word wherever it has "", so that who compares a
// profile of a [Catalog] with a word finds it.
func (p Profile) spelled() Profile {
	p.Kind, p.Expiry = cmp.Or(p.Kind, idleTimeout), cmp.Or(p.Expiry, unknown)
	p.Protocol = p.protocol()
	p.TimeoutEvidence = cmp.Or(p.TimeoutEvidence, given)
	p.HalfClosedEvidence = cmp.Or(p.HalfClosedEvidence, given)
	p.ExpiryEvidence = cmp.Or(p.ExpiryEvidence, given)
	p.RefreshedEvidence = cmp.Or(p.RefreshedEvidence, given)
	return p
}
