/**
 * What the room knows of whoever sends it packets.
 *
 * @module
 */

/**
 * The other end of a conversation with the server: one address of UDP, one connection of TCP.
 *
 * The room tells peers apart by their key alone. It does not know which door a peer came through.
 */
export interface Peer {
  /**
   * Identifies the peer in this server. It is the address for UDP, and begins with a word for any other door: `tcp
   * 10.0.0.7:52207`. So a UDP peer and a TCP peer with the same address and port are two peers.
   */
  readonly key: string;
  /** What others are told: `10.0.0.7:52207` or `[fe80::1]:52207`. */
  readonly address: string;
  /**
   * Whether the peer has shown that it receives what is sent to its address: it has a connection, or a cookie came back
   * (RFC 9000, section 8.1). A door sets it only for a connection.
   */
  readonly validated: boolean;
  /** Whether datagrams of other members can reach the peer. */
  readonly direct: boolean;
  /**
   * By which of its addresses the server was asked, where the door can tell: what is sent to the peer leaves from there
   * (RFC 1122, section 4.1.3.5). Only the door understands it.
   */
  readonly via?: string;
}
