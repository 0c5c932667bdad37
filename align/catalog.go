package align

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tcpkeepalive/keepalive/internal/alike"
)

//go:generate go test -run TestProfilesPage . -update

// A Catalog holds the built-in profiles and those that were added to it. The zero
// value holds the built-in ones: new(align.Catalog).Lookup("aws-alb").
type Catalog struct{ own []Profile }

// groups returns all profiles; nothing is computed while a program starts.
func (c *Catalog) groups() [][]Profile {
	return [][]Profile{
		awsProfiles, azureProfiles, gcpProfiles, cloudsProfiles, hostsProfiles,
		proxiesProfiles, serversProfiles, dataProfiles, devicesProfiles, c.own,
	}
}

// Path returns the path of these elements with the built-in profiles, see [Catalog.Path].
func Path(elements ...string) ([]Profile, error) { return new(Catalog).Path(elements...) }

// Add adds a profile. Its ID must be new. It must also differ from every built-in ID
// in more than a third of its letters: a mistyped ID would hide the facts of the
// profile that was meant. To change the timeout of a built-in profile, use
// [Profile.WithTimeout]. Every error wraps a [*ValueError]. Add must not be called
// concurrently with other methods.
func (c *Catalog) Add(p Profile) error { return named(c.add(p)) }

func (c *Catalog) add(p Profile) error {
	if p.ID == "" || strings.ContainsAny(p.ID, " ,=:\t\n") {
		return &ValueError{Field: "ID", Value: fmt.Sprintf("%q", p.ID), Limit: "not empty, without spaces, commas, colons and ="}
	}
	if _, err := c.lookup(p.ID); err == nil {
		return &ValueError{Field: "ID", Value: p.ID, Limit: "there is a profile of that name"}
	}
	for _, id := range new(Catalog).ids() {
		if alike.Mistyped(p.ID, id) {
			return &ValueError{Field: "ID", Value: p.ID, Limit: "did you mean " + id + "? A profile of your own needs a name that is less like it"}
		}
	}
	if err := p.validate(); err != nil {
		return err
	}
	c.own = append(c.own, p)
	return nil
}

// Profiles returns all profiles, the built-in ones first, and those of one provider
// together. Each has a word where "" would stand for one.
func (c *Catalog) Profiles() []Profile {
	profiles := slices.Concat(c.groups()...)
	for i, p := range profiles {
		profiles[i] = p.spelled()
	}
	return profiles
}

func (c *Catalog) ids() []string {
	var ids []string
	for _, p := range c.Profiles() {
		ids = append(ids, p.ID)
	}
	return ids
}

// Lookup returns the profile with that ID. There is one error, that no profile has it;
// its text names the IDs that may be meant: those that begin with the text, with what each
// is about, or at most three that are similar.
func (c *Catalog) Lookup(id string) (Profile, error) {
	p, err := c.lookup(id)
	return p, named(err)
}

func (c *Catalog) lookup(id string) (Profile, error) {
	for _, profiles := range c.groups() {
		for _, p := range profiles {
			if p.ID == id {
				return p.spelled(), nil
			}
		}
	}
	text := fmt.Sprintf("no profile %q", id)
	if family := c.family(id); len(family) > 1 {
		return Profile{}, fmt.Errorf("%s: did you mean %s?", text, strings.Join(family, ", "))
	}
	if nearest := c.suggest(id, alike.Nearest(id, c.ids())); len(nearest) > 0 {
		text += ": did you mean " + strings.Join(nearest, ", ") + "?"
	}
	return Profile{}, errors.New(text)
}

// family returns the profiles whose IDs begin with this one, as nginx-http does with nginx,
// each with its product; none if there are more than a reader can choose from.
func (c *Catalog) family(id string) []string {
	const most = 6
	var family []string
	for _, p := range c.Profiles() {
		if strings.HasPrefix(p.ID, strings.ToLower(id)+"-") {
			family = append(family, fmt.Sprintf("%s (%s)", p.ID, p.Product))
		}
	}
	if len(family) > most {
		return nil
	}
	return family
}

// Path returns the profiles of a path, from the client to the server. Each element is one
// of these, in upper or lower case, with a time such as 350s, 1h30m or 1d:
//
//   - "aws-nlb-tcp": the profile with that ID, as it is by default.
//   - "aws-nlb-tcp=600s": the same, set to that timeout.
//   - "box:300s": a middlebox of your own that forgets silently, and counts probes. With
//     "box:300s/60s" it forgets connections that one end has closed for writing after 60 s.
//   - "proxy:300s": one that ends idle connections, and does not count probes.
//   - "server:8h": a server that ends idle connections.
//
// The errors are those of [Catalog.Lookup] and [Profile.WithTimeout], or name the element
// and what it may be.
func (c *Catalog) Path(elements ...string) ([]Profile, error) {
	path := make([]Profile, 0, len(elements))
	for _, e := range elements {
		p, err := c.element(e)
		if err != nil {
			return nil, named(err)
		}
		path = append(path, p)
	}
	return path, nil
}
