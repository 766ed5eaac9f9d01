/**
 * First labels that nobody may register on a service domain, because they could be mistaken for the
 * host.
 *
 * An administrator may still assign them.
 */
export const reservedHandles: ReadonlySet<string> = new Set(
  [
    // hosts and protocols
    "www www1 www2 web mail email smtp imap pop pop3 mx webmail autoconfig autodiscover ftp sftp ssh",
    "dns ns ns1 ns2 ntp vpn proxy gateway cdn assets static media images img video files upload",
    "api app apps dev test testing staging stage beta alpha demo sandbox localhost local internal",
    "git docs doc wiki blog forum status stats metrics monitor dashboard console panel cpanel",
    // the protocol
    "at atp atproto atprotocol did plc pds relay bgs firehose jetstream labeler ozone appview",
    "feed feedgen feeds lexicon xrpc oauth oidc oauth2 well-known bsky bluesky blueskyweb",
    // roles
    "admin admins administrator administration root sysadmin system superuser operator owner staff",
    "team mod mods moderator moderators moderation security trust safety trustandsafety",
    "support help helpdesk info contact hostmaster postmaster webmaster noreply no-reply legal",
    "about abuse access ads business careers developer developers directory donate download",
    "downloads enterprise faq feedback hosting jobs newsletter sales",
    "privacy terms tos policy press official service services server host nacre",
    // paths and words of account pages
    "account accounts login logout signin signup signout register registration auth authorize",
    "password passwords reset verify verification settings profile profiles user users me you",
    "home index search explore notifications messages invite invites billing payment payments",
    "null undefined none anonymous everyone handle example invalid deleted"
  ].flatMap((line) => line.split(" "))
)
