/**
 * Characters that look like others. scripts/look_alikes.ts has made this from confusables.txt of UTS #39, Unicode
 * 17.0.0.
 *
 * @module
 */

/** In each line what some characters look like, and the code points of these characters. */
export const LOOK_ALIKES = `
- 2cba 2cbb
. 660 6f0 a4f8 1d16d
.. a4fa
2 1a7 1a8 3e8 3e9 14bf 1d24 a644 a645 a75a a75b
2\u{335} 1bb
3 1b7 21c 21d 25c 292 293 417 437 4e0 4e1 969 ae9 10f3 1d08 2c9c 2c9d 2cc4 2cc5 2ccc 2ccd a76a a76b a7ab 118ca 16f3b
3\u{326} 498 499
4 13ce ab9e 118af 118cf
5 1bc 118bb 118db
6 3b4 3ec 431 56e 13ee 1403 1577 1e9f 2cd2 2cd3 2cdc 2cdd 2d60 abbe 10285 102a3 118d5 16f1a
7 104d2 104fa 118c6
8 222 223 9ea a6a b03 1031a
9 9ed a67 b68 d6d 2cca 2ccb a76e a76f 118ac 118cc 118d6
: 2d0 903 a83 a4fd
_ 7fa
a 251 391 3b1 410 430 13aa 15c5 1d00 a4ee ab7a 102a0 16f40
aa a732 a733
ae c6 e6 4d4 4d5
ao a734 a735
au a736 a737
av a738 a739 a73a a73b
ay a73c a73d
b df 184 185 299 392 3b2 412 42c 432 44c 13cf 13f0 13f4 13fc 1472 15af 15f7 1c80 1e9e 2c82 2c83 a4d0 a7b4 a7b5 a7d6
b ab9f 10282 102a1 10301
bi 44b
bl 42b
b\u{304} 182 183 411
b\u{314} 253
b\u{335} 180 462 463 48c 48d
c 421 441 1004 105a 13df 1c83 1d04 2ca4 2ca5 a4da abaf 102a2 10302 10415 1043d 1051c 118e9
c\u{326} 4aa 4ab
c\u{338} 23c
d 501 13a0 13e7 146f 15de 15ea 1d05 a4d2 a4d3 ab70 abb7
d3 2a4
dz 2a3
d\u{291} 2a5
d\u{304} 18c
d\u{314} 257
d\u{328} 256
d\u{335} d0 110 111 189
e 25b 395 3b5 404 415 435 454 4bd 511 13ac 1d07 2c88 2c89 2d39 a4f0 a792 a793 ab32 ab7c ab9b 10286 10429 118a6 118ae
e 118ce 16f2d
e\u{328} 4bf
e\u{338} 246 247
f 192 3dc 3dd 584 15b4 1e9d a4dd a798 a799 ab35 10287 102a5 10525 118a2 118c2
fn\u{329} 2a9
f\u{326} 191
f\u{334} 1d6e
g 18d 261 262 50c 50d 581 13c0 13f3 13fb 1d83 a4d6 ab90
g\u{314} 260
g\u{335} 1e4 1e5
h 29c 397 41d 43d 4bb 570 13bb 13c2 157c 2c8e 2c8f a4e7 ab8b ab92 102cf
h\u{314} 266 a695
h\u{326} 4c7 4c8 4c9 4ca
h\u{329} 4a2 4a3 2c67
h\u{335} 126 127 45b
i 131 269 26a 3b9 456 582 13a5 2c93 a647 ab75 118c3
i\u{335} 268 1d7b 1d7c
j 29d 37f 3f3 408 458 13ab 148d 1d0a a4d9 a7b2 ab7b
j\u{335} 248 249
k 138 39a 3ba 41a 43a 13e6 16d5 1d0b 2c94 2c95 a4d7 abb6 10518
k\u{314} 199
k\u{329} 49a 49b 2c69
k\u{335} 49e 49f a740
l 31 49 196 1c0 29f 399 406 4c0 4cf 5d5 5df 627 661 6f1 7ca 13de 14aa 16c1 2c92 2cd0 2cd1 2d4f a4e1 a4f2 abae 1028a
l 10309 1041b 10443 10526 118a3 118b2 118d2 16f16 16f28
l3 26e
ll 1c1 5f0
lo 42e
ls 2aa
lz 2ab
l\u{328} 26d
l\u{334} 26b
l\u{335} 197 19a
l\u{338} 141 142
m 28d 39c 3bc 3fa 3fb 41c 43c 13b7 15f0 16d6 1d0d 2c98 2c99 a4df ab87 102b0 10311 11700 118e3
m\u{326} 271 4cd 4ce
m\u{334} 1d6f
n 274 39d 578 57c 1260 144e 2c9a 2c9b a4e0 a4f5 10513
n\u{326} 19d
n\u{328} 273
n\u{329} 14b 19e 3b7
n\u{334} 1d70
o 30 39f 3bf 3c2 3c3 3db 3ed 41e 43e 555 585 5e1 647 665 6be 6c1 6d5 6f5 7c0 966 9e6 a66 ae6 b20 b66 be6 c02 c66 c82
o ce6 d02 d20 d66 d82 e50 ed0 101d 1040 10ff 12d0 17e0 1c82 1d0f 1d11 2c8b 2c9e 2c9f 2d54 a4f3 ab3d 10292 102ab 10404
o 1042c 104c2 104ea 10516 114d0 118b5 118c8 118d7 118e0
oe 152 153 276
oo a698 a699 a74e a74f
o\u{335} 19f 275 398 3b8 472 473 4e8 4e9 a74a a74b
o\u{338} d8 f8 ab3e
p fe 1bf 3a1 3c1 3f8 420 440 13e2 146d 1d18 1d29 2ca2 2ca3 2cce 2ccf a4d1 abb2 10295
p\u{314} 1a5
p\u{335} 1d7d
q 51b 563 566 2d55
q\u{314} 2a0
r 1a6 280 433 13a1 13d2 1587 1d26 2c85 a4e3 ab47 ab48 ab71 ab81 aba2 104b4 104dc 16f35
r\u{328} 27d
r\u{329} 27c
r\u{334} 1d72
r\u{335} 24d 493
s 1bd 405 455 54f 57f d1f 13d5 13da a4e2 a731 aba5 abaa 10296 10420 10448 118c1 16f3a
s\u{328} 282
s\u{334} 1d74
t 3a4 3c4 422 442 13a2 1c84 1c85 1d1b 2ca6 2ca7 a4d4 ab72 10297 102b1 10315 118bc 16f0a
t3 a728 a729
tf a777
ts 2a6
t\u{255} 2a8
t\u{283} 2a7
t\u{314} 1ad
t\u{328} 1ae
t\u{329} 4ac 4ad
t\u{334} 1d75
t\u{335} 166 167
t\u{338} 23e
u 28b 3c5 54d 57d 1200 144c 1d1c a4f4 a79f ab4e ab52 104ce 104f6 118b8 118d8 16f42
ue 1d6b
uo ab63
u\u{329} 45f
u\u{335} 244 1d7e
v 3bd 474 475 5d8 667 6f7 13d9 142f 1d20 2d38 a4e6 a6df aba9 1051d 11706 118a0 118c0 16f08
w 26f 448 461 51c 51d 561 13b3 13d4 15ef 1d21 2cbd a4ea ab83 aba4 1170a 1170e 1170f 118e6
w\u{326} a761
w\u{486}\u{487} 47d
x 3a7 3c7 425 445 1541 157d 16b7 2cac 2cad 2d5d a4eb a7b3 ab53 ab55 10290 102b4 10317 10527
x\u{329} 4b2
y 263 28f 3a5 3b3 423 443 4ae 4af 10e7 13a9 13bd 14a5 1d8c 1eff 2ca8 2ca9 a4ec ab5a ab79 ab8d 102b2 118a4 118dc 16f07
y 16f43
y\u{314} 1b4
y\u{335} 24e 24f 4b0 4b1
z 396 3b6 13c3 1d22 a4dc ab93 118a9 118c4 118c9 118e5
z\u{326} 224 225
z\u{328} 290
z\u{334} 1d76
z\u{335} 1b5 1b6
\u{fe} 3f7
\u{195} 50a
\u{1dd} 259 4d9
\u{1dd}o 1d14
\u{1dd}o\u{335} ab42
\u{1dd}o\u{338} ab41
\u{24b} 1d90
\u{254} 37b 3fd 1d10 2183 2184
\u{254}e ab62
\u{254}\u{338} ab3f
\u{259} 4d8
\u{25b} 510
\u{278} 3c6 444
\u{27e}\u{334} 1d73
\u{283} 3a3 ab4d
\u{28a}\u{335} 1d7f
\u{28c} 39b 41b 1d27 a7da
\u{28c}\u{326} 4c5
\u{28c}\u{338} a7dc
\u{298} a668
\u{29a} a79d
\u{2c9}b 44a
\u{2c9}bi a651
\u{302} 311
\u{303} 342
\u{304} 305
\u{306} 30c 36e a67c
\u{306}\u{307} 310
\u{307} 358
\u{30a} 366 2dea
\u{313} 315
\u{326} 321 327 339
\u{328} 322 345
\u{331} 320
\u{333} 347
\u{335} 336
\u{338} 337
\u{350} 357
\u{363} 2df6
\u{364} 2df7
\u{368} 2ded
\u{36f} 2def
\u{3b3} 413
\u{3b3}\u{335} 492
\u{3bb} a7db
\u{3bb}\u{338} 19b
\u{3c0} 41f 43f 1d28
\u{3c6} 424
\u{3c8} 470 471
\u{3c9} a64d a7b7
\u{436}\u{329} 496 497
\u{438} 376
\u{438}\u{326}\u{300} 48a
\u{43b} 1d2b
\u{43b}\u{326} 4c6
\u{44a}l a650
\u{459} ab60
\u{461}\u{486}\u{487} 47c
\u{4b7} 4cb 4cc
\u{4bd}\u{328} 4be
\u{650} 317
\u{670} 30d
\u{1d0e} 377 438
\u{1d0e}\u{326}\u{306} 48b
\u{1d19} 44f
\u{1ddf} 2de8
\u{20e9} a66f
\u{2c76} 370
\u{30fc} a7f7
\u{a4d5} a7b1
\u{a4e4} a79e
\u{a64d} a7b6
\u{a727} a795
\u{a73f} 37d 3ff
\u{102a8} a69a
\u{1043a} a79a a79b
`;
